"""What a name server says, RFC by RFC. One test for each thing the README promises."""

from __future__ import annotations

import struct

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rrset
import pytest
from dns.edns import GenericOption, OptionType
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.config import Dns
from sandbox.protocols.contract.conversation import Description
from sandbox.world.names.zones import Zone, Zones
from tests.support.names import TCP, UDP, ask, header, make_responder, make_zones, query, records, respond


def options(message: dns.message.Message) -> dict[int, bytes]:
    return {int(option.otype): option.to_wire() or b"" for option in message.options}


# RFC 1034, 1035: names and answers

@pytest.mark.parametrize(("name", "rdtype", "expected"), [
    ("mail.zone.test", "A", ["mail.zone.test. A 192.0.2.3"]),
    ("ns2.zone.test", "AAAA", ["ns2.zone.test. AAAA 2001:db8::2"]),
    ("zone.test", "MX", ["zone.test. MX 10 mail.zone.test."]),
    ("zone.test", "NS", ["zone.test. NS ns1.zone.test.", "zone.test. NS ns2.zone.test."]),
    ("_imap._tcp.zone.test", "SRV", ["_imap._tcp.zone.test. SRV 0 1 143 mail.zone.test."]),
    ("zone.test", "HTTPS", ['zone.test. HTTPS 1 . alpn="h2"']),
    ("odd.zone.test", "TYPE65280", ["odd.zone.test. TYPE65280 \\# 3 010203"]),
    ("alias.zone.test", "CNAME", ["alias.zone.test. CNAME mail.zone.test."]),
    ("alias.zone.test", "A", ["alias.zone.test. CNAME mail.zone.test.", "mail.zone.test. A 192.0.2.3"]),
    ("box.old.zone.test", "A", ["box.new.zone.test. A 192.0.2.8", "box.old.zone.test. CNAME box.new.zone.test.",
                                "old.zone.test. DNAME new.zone.test."]),
    ("www.example.com", "A", ["www.example.com. A 127.0.0.1"]),
    ("www.example.com", "AAAA", ["www.example.com. AAAA ::1"]),
    ("1.0.0.127.in-addr.arpa", "PTR", ["1.0.0.127.in-addr.arpa. PTR sandbox.test."]),
])
def test_records_are_found(name: str, rdtype: str, expected: list[str]) -> None:
    answer = ask(name, rdtype)
    assert records(answer.answer) == expected
    assert answer.rcode() == dns.rcode.NOERROR
    assert answer.flags & dns.flags.AA


def test_flags_are_honest() -> None:
    """RFC 1035 §4.1.1: QR set, RD copied, RA since every name is answered; AD never, Z never; CD copied."""
    wanted = query("www.example.com")
    for asked, expected in [(0, 0x8480), (0x0100, 0x8580), (0x0020, 0x8480), (0x0010, 0x8490), (0x0040, 0x8480)]:
        wanted.flags = dns.flags.Flag(asked)
        data = respond(wanted).data
        assert data is not None
        assert header(data)[1] == expected, f"{asked:#x}"


@given(st.lists(st.booleans(), min_size=15, max_size=15))
@settings(max_examples=25)
def test_mixed_case_comes_back_as_it_was_sent(case: list[bool]) -> None:
    """draft-vixie-dnsext-dns0x20, RFC 4343: compared without case, repeated with it."""
    text = "".join(c.upper() if up else c for c, up in zip("www.example.com", case, strict=True))
    answer = ask(text)
    assert answer.question[0].name.to_text() == text + "."
    assert answer.answer[0].name.to_text() == text + "."
    assert [str(item) for item in answer.answer[0]] == ["127.0.0.1"]


def test_addresses_of_named_hosts_are_added() -> None:
    """RFC 1034 §4.3.2 step 6."""
    assert records(ask("zone.test", "MX").additional) == ["mail.zone.test. A 192.0.2.3"]
    assert "ns2.zone.test. AAAA 2001:db8::2" in records(ask("zone.test", "NS").additional)


def test_https_target_addresses_are_added() -> None:
    """RFC 9460 §4.1; "." stands for the owner (§2.5.2)."""
    zones = make_zones()
    zones.add("mail.zone.test", "HTTPS", "1 . port=8443")
    answer = ask("mail.zone.test", "HTTPS", responder=make_responder(zones))
    assert records(answer.additional) == ["mail.zone.test. A 192.0.2.3"]


def test_a_cut_gives_a_referral_with_glue() -> None:
    """RFC 1034 §4.3.2 step 3b: no answer, no AA, the child's servers, and the glue that is in this zone."""
    answer = ask("www.child.zone.test")
    assert not answer.answer
    assert not answer.flags & dns.flags.AA
    assert records(answer.authority) == ["child.zone.test. NS ns.child.zone.test.",
                                         "child.zone.test. NS ns.other.example."]
    assert records(answer.additional) == ["ns.child.zone.test. A 192.0.2.7"]


def test_missing_glue_sets_tc() -> None:
    """RFC 9471 §3: a client cannot follow a referral without its glue, so its loss is truncation."""
    zones = make_zones()
    zones.replace("ns.child.zone.test", "A", [f"192.0.2.{number}" for number in range(1, 40)])
    answer = ask("www.child.zone.test", responder=make_responder(zones))
    assert answer.flags & dns.flags.TC


def test_ds_at_a_cut_is_answered_by_the_parent() -> None:
    """RFC 4035 §3.1.4.1."""
    answer = ask("child.zone.test", "DS")
    assert answer.answer
    assert answer.flags & dns.flags.AA


def test_a_loop_of_aliases_is_an_error() -> None:
    """RFC 1034 §3.6.2."""
    reply = respond(query("round.zone.test"))
    assert (reply.about.outcome, reply.about.key) == ("SERVFAIL", "situation.loop")


def test_a_long_chain_ends() -> None:
    zones = make_zones()
    for number in range(100):
        zones.add(f"c{number}.zone.test", "CNAME", f"c{number + 1}.zone.test.")
    assert respond(query("c0.zone.test"), responder=make_responder(zones)).about.outcome == "SERVFAIL"
    assert respond(query("c90.zone.test"), responder=make_responder(zones)).about.outcome == "NXDOMAIN"


def test_a_chain_may_leave_its_zone() -> None:
    answer = ask("away.zone.test")
    assert records(answer.answer) == ["away.zone.test. CNAME www.elsewhere.example.",
                                      "www.elsewhere.example. A 127.0.0.1"]


# RFC 2308: negative answers

def test_a_missing_name_gives_nxdomain_with_soa() -> None:
    """§2.1, §3: the SOA's TTL is the smaller of its own and its last field."""
    answer = ask("nobody.zone.test")
    assert answer.rcode() == dns.rcode.NXDOMAIN
    assert answer.flags & dns.flags.AA
    assert [(str(found.name), found.ttl) for found in answer.authority] == [("zone.test.", 30)]


@pytest.mark.parametrize(("name", "rdtype"), [("mail.zone.test", "AAAA"), ("empty.zone.test", "A"),
                                              ("wild.zone.test", "A"), ("zone.test", "TYPE65281")])
def test_a_name_without_the_type_gives_nodata_with_soa(name: str, rdtype: str) -> None:
    """§2.2; an empty non-terminal exists too (RFC 8020 §2)."""
    answer = ask(name, rdtype)
    assert answer.rcode() == dns.rcode.NOERROR
    assert not answer.answer
    assert [str(found.name) for found in answer.authority] == ["zone.test."]


def test_the_rcode_is_of_the_chains_end() -> None:
    """RFC 6604 §3."""
    answer = ask("gone.zone.test")
    assert answer.rcode() == dns.rcode.NXDOMAIN
    assert records(answer.answer) == ["gone.zone.test. CNAME nobody.zone.test."]


# RFC 4592: wildcards

@pytest.mark.parametrize(("name", "rdtype", "rcode", "count"), [
    ("any.wild.zone.test", "A", "NOERROR", 1),
    ("a.b.wild.zone.test", "A", "NOERROR", 1),
    ("any.wild.zone.test", "TXT", "NOERROR", 0),        # the wildcard's name has no such type
    ("here.wild.zone.test", "A", "NOERROR", 0),         # a listed name is not covered
    ("x.sub.wild.zone.test", "A", "NXDOMAIN", 0),       # below a listed name the wildcard ends
    ("*.wild.zone.test", "A", "NOERROR", 1),
])
def test_wildcards(name: str, rdtype: str, rcode: str, count: int) -> None:
    answer = ask(name, rdtype)
    assert dns.rcode.to_text(answer.rcode()) == rcode
    assert len(answer.answer) == count
    assert all(str(found.name) == name + "." for found in answer.answer)


# RFC 6672: DNAME

def test_a_dname_that_makes_a_name_too_long() -> None:
    zones = make_zones()
    long = ".".join(["x" * 60] * 3)
    zones.add("far.zone.test", "DNAME", f"{long}.example.")
    reply = respond(query(f"{long}.far.zone.test"), responder=make_responder(zones))
    assert (reply.about.outcome, reply.about.key) == ("YXDOMAIN", "situation.too-long")


@given(st.binary(min_size=1, max_size=40))
@settings(max_examples=40)
def test_a_dname_carries_any_label_over(label: bytes) -> None:
    """§3.1: the CNAME that is made has the client's own labels, whatever octets they hold."""
    owner = dns.name.Name((label, b"old", b"zone", b"test", b""))
    reply = respond(dns.message.make_query(owner, "AAAA"))
    assert reply.data is not None
    made = dns.message.from_wire(reply.data).answer[1]
    assert made[0].target == dns.name.Name((label, b"new", b"zone", b"test", b""))


# RFC 6891: EDNS

def test_edns_is_answered_with_edns_and_only_then() -> None:
    """§6.1.1, §7."""
    assert ask("www.example.com").edns == -1
    answer = ask("www.example.com", use_edns=0)
    assert (answer.edns, answer.payload) == (0, 1232)


def test_do_is_copied() -> None:
    """RFC 3225 §3."""
    assert ask("www.example.com", want_dnssec=True).ednsflags & dns.flags.DO
    assert not ask("www.example.com", use_edns=0).ednsflags & dns.flags.DO


@pytest.mark.parametrize("version", [1, 100, 255])
def test_unknown_edns_versions_get_badvers(version: int) -> None:
    """§6.1.3: version 0 is said, and nothing is answered."""
    answer = ask("www.example.com", use_edns=version)
    assert answer.rcode() == dns.rcode.BADVERS
    assert answer.edns == 0
    assert not answer.answer


def test_unknown_options_and_flags_are_ignored() -> None:
    """§6.1.2, RFC 8906 §3.2.3, §3.2.4: not echoed either."""
    unknown = GenericOption(OptionType.make(1000), b"?")
    answer = ask("www.example.com", use_edns=0, ednsflags=0x0080, options=[unknown])
    assert answer.answer
    assert answer.ednsflags & 0x7FFF == 0
    assert options(answer) == {}


def opt(owner: bytes = b"\0", rdata: bytes = b"", version: int = 0) -> bytes:
    return owner + struct.pack("!HHBBHH", 41, 1232, 0, version, 0, len(rdata)) + rdata


@pytest.mark.parametrize(("additional", "count"), [
    (opt() + opt(), 2),                                      # §6.1.1: only one
    (opt(b"\1x\0"), 1),                                      # §6.1.2: owned by the root
    (opt(rdata=b"\0\x0a\0\x09x"), 1),                        # an option longer than the record
    (opt(rdata=b"\0"), 1),
    (b"\0\0", 1),
])
def test_broken_edns_is_a_format_error(additional: bytes, count: int) -> None:
    wire = bytearray(query("www.example.com").to_wire() + additional)
    wire[10:12] = struct.pack("!H", count)
    reply = respond(bytes(wire))
    assert (reply.about.outcome, reply.about.key) == ("FORMERR", "situation.malformed")
    assert reply.data is not None
    assert len(reply.data) == 12


def test_nsid_is_given_when_asked() -> None:
    """RFC 5001 §2.1, §2.2."""
    answer = ask("www.example.com", use_edns=0, options=[GenericOption(OptionType.NSID, b"")])
    assert options(answer) == {OptionType.NSID: b"sandbox"}


def test_keepalive_is_for_streams() -> None:
    """RFC 7828 §3.2.1, §3.3.2."""
    wanted = [GenericOption(OptionType.KEEPALIVE, b"")]
    assert options(ask("www.example.com", "A", TCP, use_edns=0, options=wanted)) == {11: b"\x01\x2c"}
    assert options(ask("www.example.com", "A", UDP, use_edns=0, options=wanted)) == {}


# RFC 7873: cookies

def cookie(data: bytes) -> list[dns.edns.Option]:
    return [GenericOption(OptionType.COOKIE, data)]


def test_a_cookie_is_answered_and_then_known() -> None:
    """§5.2.3, §5.2.5."""
    answer = ask("www.example.com", use_edns=0, options=cookie(b"12345678"))
    given = options(answer)[OptionType.COOKIE]
    assert given[:8] == b"12345678"
    assert len(given) == 24
    for data, state in [(given, "valid"), (given[:-1] + b"?", "bad")]:
        reply = respond(query("www.example.com", use_edns=0, options=cookie(data)))
        assert reply.about.outcome == "NOERROR"
        assert reply.about.facts == {"cookie": state}
        assert not reply.keep


@pytest.mark.parametrize("size", [0, 1, 7, 9, 15, 41, 100])
def test_a_cookie_of_impossible_length_is_a_format_error(size: int) -> None:
    """§5.2.2."""
    placeholder = GenericOption(OptionType.make(65001), bytes(size))
    wire = query("www.example.com", use_edns=0, options=[placeholder]).to_wire()
    reply = respond(wire.replace(struct.pack("!HH", 65001, size), struct.pack("!HH", 10, size)))
    assert (reply.about.outcome, reply.about.key) == ("FORMERR", "situation.bad-cookie")


def test_a_message_without_question_may_ask_for_a_cookie() -> None:
    """§5.4."""
    message = dns.message.Message(id=7)
    message.use_edns(0, options=cookie(b"12345678"))
    reply = respond(message)
    assert (reply.about.outcome, reply.about.key) == ("NOERROR", "situation.cookie")
    message.use_edns(0, options=[])
    assert respond(message).about.outcome == "FORMERR"


# RFC 2181 §9, RFC 1035 §4.2.1: truncation

@pytest.mark.parametrize(("payload", "limit"), [(None, 512), (100, 512), (512, 512), (1000, 1000), (65535, 1232)])
def test_datagrams_keep_to_the_smaller_limit(payload: int | None, limit: int) -> None:
    edns = {} if payload is None else {"use_edns": 0, "payload": payload}
    reply = respond(query("many.zone.test", "TXT", **edns))
    assert reply.data is not None
    assert len(reply.data) <= limit
    assert reply.about.key == "situation.truncated"
    answer = dns.message.from_wire(reply.data)
    assert answer.flags & dns.flags.TC
    assert answer.edns == (-1 if payload is None else 0)


def test_over_tcp_nothing_is_cut() -> None:
    answer = ask("many.zone.test", "TXT", TCP)
    assert not answer.flags & dns.flags.TC
    assert len(answer.answer[0][0].strings) == 10


def test_additional_records_are_dropped_without_tc() -> None:
    """RFC 2181 §9: TC is only for what the answer needs."""
    zones = make_zones()
    zones.replace("mail.zone.test", "A", [f"192.0.2.{number}" for number in range(1, 60)])
    answer = ask("zone.test", "MX", responder=make_responder(zones))
    assert answer.answer
    assert not answer.additional
    assert not answer.flags & dns.flags.TC


# RFC 8482: ANY

def test_any_over_udp_is_short() -> None:
    answer = ask("zone.test", "ANY")
    assert records(answer.answer) == ['zone.test. HINFO "RFC8482" ""']


def test_any_over_tcp_is_all_there_is() -> None:
    found = {dns.rdatatype.to_text(item.rdtype) for item in ask("zone.test", "ANY", TCP).answer}
    assert found == {"SOA", "NS", "MX", "HTTPS"}


def test_any_for_a_missing_name_is_nxdomain() -> None:
    assert ask("nobody.zone.test", "ANY").rcode() == dns.rcode.NXDOMAIN


# RFC 8906: what other servers get wrong

@pytest.mark.parametrize("opcode", [1, 2, 3, 4, 5, 6, 7, 15])
def test_other_opcodes_get_notimp(opcode: int) -> None:
    """§3.1.4; NOTIFY (RFC 1996) and UPDATE (RFC 2136 §3.1) too; the opcode is repeated. §8.1.4: RA and CD are not
    set, they speak of questions."""
    message = query("example.com")
    message.flags |= dns.flags.CD
    message.set_opcode(dns.opcode.Opcode.make(opcode))
    reply = respond(message)
    assert reply.data is not None
    assert reply.about.outcome == "NOTIMP"
    assert header(reply.data)[0] == message.id
    assert header(reply.data)[1] == 0x8100 | opcode << 11 | dns.rcode.NOTIMP


@pytest.mark.parametrize("rdtype", ["TYPE1000", "TYPE65535", "NULL", "WKS", "SPF", "TYPE0"])
def test_unknown_types_get_nodata(rdtype: str) -> None:
    """§3.1.2, RFC 3597 §3."""
    answer = ask("www.example.com", rdtype)
    assert answer.rcode() == dns.rcode.NOERROR
    assert len(answer.authority) == 1


@pytest.mark.parametrize("rdtype", ["MAILA", "MAILB", "TKEY", "TSIG", "TYPE200"])
def test_meta_types_get_notimp(rdtype: str) -> None:
    assert ask("www.example.com", rdtype).rcode() == dns.rcode.NOTIMP


def test_a_question_about_opt_is_a_format_error() -> None:
    assert respond(query("www.example.com", "OPT")).about.outcome == "FORMERR"


@pytest.mark.parametrize("rdclass", ["HS", "NONE", "CLASS42", "CH"])
def test_other_classes_are_refused(rdclass: str) -> None:
    assert respond(query("www.example.com", rdclass=rdclass)).about.facts == {"class": rdclass}
    answer = ask("www.example.com", rdclass=rdclass)
    assert answer.rcode() == dns.rcode.REFUSED
    assert not answer.flags & dns.flags.AA


def test_any_class_is_never_authoritative() -> None:
    """RFC 1035 §6.2."""
    answer = ask("www.example.com", rdclass="ANY")
    assert answer.answer[0].rdclass == 1
    assert not answer.flags & dns.flags.AA


@pytest.mark.parametrize(("name", "rdtype", "count"), [
    ("version.bind", "TXT", 1), ("ID.Server", "TXT", 1), ("hostname.bind", "ANY", 1), ("id.server", "A", 0)])
def test_the_server_says_who_it_is(name: str, rdtype: str, count: int) -> None:
    """RFC 4892 §3."""
    answer = ask(name, rdtype, rdclass="CH")
    assert (answer.rcode(), len(answer.answer)) == (dns.rcode.NOERROR, count)


def test_a_signed_question_gets_badkey() -> None:
    """RFC 8945 §5.2.1: NOTAUTH, unsigned, with the name and algorithm it came with."""
    message = query("www.example.com")
    message.use_tsig(dns.tsig.Key("some-key.", b"secret-secret-16"))
    reply = respond(message.to_wire())
    assert reply.data is not None
    assert reply.about.key == "situation.unknown-key"
    answer = dns.message.from_wire(reply.data, keyring=False)
    assert answer.rcode() == dns.rcode.NOTAUTH
    assert answer.tsig is not None
    assert answer.tsig.name.to_text() == "some-key."
    assert (answer.tsig_error, answer.mac) == (17, b"")


@pytest.mark.parametrize("count", [2, 3, 65535])
def test_several_questions_are_a_format_error(count: int) -> None:
    """RFC 9619 §4."""
    wire = bytearray(query("www.example.com").to_wire())
    wire[4:6] = struct.pack("!H", count)
    assert respond(bytes(wire) + bytes(wire[12:])).about.outcome == "FORMERR"


@pytest.mark.parametrize("name", [
    b"\xc0\x0c",                         # a pointer to itself
    b"\xc0\x20",                         # a pointer forward
    b"\x01a\xc0\x0c",                    # round in a circle
    b"\x41a\0", b"\x81a\0",             # label types that do not exist (RFC 6891 §5)
    b"\x3f" + b"a" * 10,                 # a label that is cut off
    (b"\x3f" + b"a" * 63) * 4 + b"\0",   # more than 255 octets
    b"",
])
def test_impossible_names_are_a_format_error(name: bytes) -> None:
    """RFC 1035 §4.1.4, RFC 9267 §2."""
    wire = struct.pack("!HHHHHH", 1, 0x100, 1, 0, 0, 0) + name + struct.pack("!HH", 1, 1)
    assert respond(wire).about.outcome == "FORMERR"


def test_trailing_octets_are_a_format_error() -> None:
    assert respond(query("www.example.com").to_wire() + b"x").about.outcome == "FORMERR"


def test_a_bomb_is_not_parsed() -> None:
    """Bounds on what one query may make us read."""
    wire = bytearray(query("www.example.com").to_wire())
    wire[6:8] = struct.pack("!H", 20_000)
    assert respond(bytes(wire) + bytes(3_000)).about.facts == {"problem": "more than 16 records"}
    assert respond(query("www.example.com").to_wire() + bytes(5_000)).about.outcome == "FORMERR"


@pytest.mark.parametrize("octets", range(12))
def test_fragments_get_silence(octets: int) -> None:
    assert respond(query("www.example.com").to_wire()[:octets]) == (
        None, Description("MALFORMED", "", "", key="situation.fragment"), False, ())


def test_responses_get_silence() -> None:
    """Two servers that answer each other's answers never stop."""
    wire = respond(query("www.example.com")).data
    assert wire is not None
    assert respond(wire).data is None


# The whole internet in here

def test_every_other_name_leads_to_the_sandbox() -> None:
    reply = respond(query("www.search-engine.dev", use_edns=0))
    assert reply.data is not None
    answer = dns.message.from_wire(reply.data)
    assert records(answer.answer) == ["www.search-engine.dev. A 127.0.0.1"]
    assert reply.about.key == "situation.captured"
    assert options(answer)[15][:2] == b"\0\4"       # RFC 8914 §4.5: a forged answer, and says so
    assert respond(query("wpad")).about.answered == "127.0.0.1"
    assert respond(query("search-engine.dev", "MX")).about.key == "situation.nodata"


def test_or_does_not_exist() -> None:
    responder = make_responder(make_zones(capture=False))
    assert ask("www.search-engine.dev", responder=responder).rcode() == dns.rcode.NXDOMAIN
    assert ask("www.example.com", responder=responder).answer


@pytest.mark.parametrize("name", ["use-application-dns.net", "x.onion", "printer.local", "host.invalid",
                                  "_dns.resolver.arpa", "9.9.9.9.in-addr.arpa"])
def test_some_names_never_exist(name: str) -> None:
    """RFC 6761 §6.4, RFC 6762 §22.1, RFC 7686 §2, RFC 9462; Firefox's canary."""
    assert ask(name).rcode() == dns.rcode.NXDOMAIN


def test_localhost_is_this_machine() -> None:
    """RFC 6761 §6.3."""
    for name in ("localhost", "any.thing.localhost"):
        assert records(ask(name).answer) == [f"{name}. A 127.0.0.1"]
        assert records(ask(name, "AAAA").answer) == [f"{name}. AAAA ::1"]
        assert not ask(name, "MX").answer


def test_without_a_zone_it_is_refused() -> None:
    responder = make_responder(Zones([Zone("only.test.")]))
    reply = respond(query("elsewhere.test"), responder=responder)
    assert (reply.about.outcome, reply.about.key) == ("REFUSED", "situation.refused")


# What is recorded

@pytest.mark.parametrize(("name", "rdtype", "expected"), [
    ("WWW.example.com", "A", Description("A", "WWW.example.com", "NOERROR", "127.0.0.1")),
    ("alias.zone.test", "A", Description("A", "alias.zone.test", "NOERROR", "mail.zone.test., 192.0.2.3",
                                         "situation.alias")),
    ("nobody.zone.test", "A", Description("A", "nobody.zone.test", "NXDOMAIN")),
    ("zone.test", "A", Description("A", "zone.test", "NOERROR", "", "situation.nodata")),
    ("zone.test", "TYPE65280", Description("TYPE65280", "zone.test", "NOERROR", "", "situation.unknown-type")),
    ("x.wild.zone.test", "A", Description("A", "x.wild.zone.test", "NOERROR", "192.0.2.5", "situation.wildcard")),
    ("x.child.zone.test", "A", Description(
        "A", "x.child.zone.test", "NOERROR",
        "child.zone.test. NS ns.child.zone.test., child.zone.test. NS ns.other.example.", "situation.referral")),
])
def test_descriptions(name: str, rdtype: str, expected: Description) -> None:
    assert respond(query(name, rdtype)).about == expected


@pytest.mark.parametrize(("name", "rdtype"), [("example.com", "MX"), ("_imaps._tcp.example.com", "SRV")])
def test_a_service_that_is_not_offered_is_said_to_be_so(name: str, rdtype: str) -> None:
    assert respond(query(name, rdtype)).about.key == "situation.not-offered"
    assert respond(query("zone.test", "MX")).about.key == ""


def test_a_truncated_answer_is_said_to_be_so() -> None:
    assert respond(query("many.zone.test", "TXT")).about == Description(
        "TXT", "many.zone.test", "NOERROR", "cut short", "situation.truncated")


def test_a_long_answer_is_counted() -> None:
    assert respond(query("many.zone.test", "TXT"), TCP).about.answered == "1 record"


def test_descriptions_are_safe_for_terminals() -> None:
    reply = respond(query("\\027[31m.quoted\\010.dev"))
    assert reply.about.asked == "\\027[31m.quoted\\010.dev"
    assert respond(query("quoted.zone.test", "TXT")).about.answered.isprintable()


# Whatever arrives

def is_sound(wire: bytes, reply_data: bytes | None) -> bool:
    """Silence, or an answer that repeats the id, has QR, and can be read."""
    if reply_data is None:
        return len(wire) < 12 or bool(wire[2] & 0x80)
    dns.message.from_wire(reply_data, keyring=False)
    return reply_data[:2] == wire[:2] and bool(reply_data[2] & 0x80)


@given(st.binary(max_size=200), st.sampled_from([UDP, TCP]))
@settings(max_examples=150)
def test_garbage_gets_a_sound_answer_or_silence(wire: bytes, transport: object) -> None:
    assert is_sound(wire, respond(wire, UDP if transport is UDP else TCP).data)


QUERIES = [query("www.example.com", use_edns=0, options=cookie(b"12345678")).to_wire(),
           query("any.wild.zone.test", "MX").to_wire(), query("zone.test", "ANY", use_edns=0).to_wire(),
           query("box.old.zone.test", "AAAA", use_edns=1).to_wire(), query("x.child.zone.test", "AXFR").to_wire()]


@given(st.sampled_from(QUERIES), st.lists(st.tuples(st.integers(0, 80), st.integers(0, 255)), max_size=6),
       st.integers(0, 90))
@settings(max_examples=250)
def test_damaged_queries_get_a_sound_answer_or_silence(wire: bytes, changes: list[tuple[int, int]], cut: int) -> None:
    damaged = bytearray(wire)
    for at, value in changes:
        if at < len(damaged):
            damaged[at] = value
    for message in (bytes(damaged), bytes(damaged[:cut])):
        for transport in (UDP, TCP):
            assert is_sound(message, respond(message, transport).data)


@given(st.lists(st.binary(min_size=1, max_size=30), min_size=1, max_size=8), st.integers(0, 65535))
@settings(max_examples=60)
def test_any_name_and_type_is_answered(labels: list[bytes], rdtype: int) -> None:
    name = b"".join(bytes((len(label),)) + label for label in labels)[:250] + b"\0"
    wire = struct.pack("!HHHHHH", 1, 0x100, 1, 0, 0, 0) + name + struct.pack("!HH", rdtype, 1)
    assert is_sound(wire, respond(wire).data)


def test_settings_are_kept() -> None:
    responder = make_responder(settings=Dns(udp_size=600))
    reply = respond(query("many.zone.test", "TXT", use_edns=0, payload=4000), responder=responder)
    assert reply.data is not None
    assert len(reply.data) <= 600
