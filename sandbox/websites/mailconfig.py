"""What a mail program asks for when somebody types an address, so that it need not ask for ports.

- Thunderbird and its kin: `/mail/config-v1.1.xml` at the host autoconfig.DOMAIN, else
  `/.well-known/autoconfig/mail/config-v1.1.xml` at the domain itself;
- Outlook and its kin: a POST to `/autodiscover/autodiscover.xml`, which `/autodiscover/autodiscover.json` leads to
  (MS-OXDSCLI).

All name the services that really run, as the SRV records of RFC 6186 do; see `sandbox.world.names.builtin_zones`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import NamedTuple
from urllib.parse import parse_qs
from xml.sax.saxutils import escape, unescape

from sandbox.address import Address
from sandbox.protocols.http.messages import HttpError, Request, Response
from sandbox.websites import answers

__all__ = ["MailConfig"]

AUTOCONFIG = frozenset({"/mail/config-v1.1.xml", "/.well-known/autoconfig/mail/config-v1.1.xml"})
POX = "/autodiscover/autodiscover.xml"
JSON = "/autodiscover/autodiscover.json"
"""Both in lower case; clients write them with capitals as they please."""

BODY = 65_536
"""Octets of a question: a few hundred are usual."""
ADDRESS = re.compile(r"[^\s<>@]{1,64}@([A-Za-z0-9.-]{1,253})")
# White space is taken off afterwards: with patterns for it too, a body full of it would take minutes.
ASKED = re.compile(r"<EMailAddress>([^<]{1,400})</EMailAddress>", re.IGNORECASE)
SCHEMA = re.compile(r"<AcceptableResponseSchema>([^<]{1,400})</AcceptableResponseSchema>", re.IGNORECASE)

OUTLOOK = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
RESPONSE = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"


class Offer(NamedTuple):
    """A role a mail program may use. kind: as both formats name it; socket: how it is encrypted."""

    role: str
    kind: str
    socket: str


OFFERS = (Offer("imaps", "imap", "SSL"), Offer("imap", "imap", "STARTTLS"), Offer("pop3s", "pop3", "SSL"),
          Offer("pop3", "pop3", "STARTTLS"), Offer("submissions", "smtp", "SSL"),
          Offer("submission", "smtp", "STARTTLS"))
"""The best first: programs take the first one they can."""


class MailConfig:
    """Answers for the world's mail. domains: the world's; endpoints: complete when the first question comes."""

    def __init__(self, domains: Collection[str], endpoints: Mapping[str, Address]) -> None:
        self._domains = frozenset(domains)
        self._endpoints = endpoints

    def answers(self, request: Request) -> bool:
        """Whether a request is one of these."""
        return request.path in AUTOCONFIG or request.path.lower() in (POX, JSON)

    async def __call__(self, request: Request) -> Response:
        """Raises HttpError: 404 for a domain whose mail is not here, 405."""
        path = request.path.lower()
        methods = ("GET", "HEAD", "POST") if path == POX else ("GET", "HEAD")
        if request.method not in methods:
            raise HttpError(405, f"Mail programs ask for this with {methods[-1]} (RFC 9110 §15.5.6).",
                            [("Allow", ", ".join(methods))])
        query = {name.lower(): values[0] for name, values in parse_qs(request.query).items()}
        if path == POX:
            body = (await request.body.read(BODY)).decode("utf-8", "replace")
            return self._pox(body, query.get("email", ""))
        if path == JSON:
            return self._json(request, query.get("protocol", ""))
        return self._autoconfig(request, query.get("emailaddress", ""))

    def _offers(self) -> list[tuple[Offer, int]]:
        """What runs, each with its port."""
        return [(offer, self._endpoints[offer.role].port) for offer in OFFERS if offer.role in self._endpoints]

    def _domain(self, address: str) -> str:
        """The domain of a mail address, "" where its mail is not here."""
        match = ADDRESS.fullmatch(address)
        domain = match[1].lower().rstrip(".") if match is not None else ""
        return domain if domain in self._domains else ""

    def _autoconfig(self, request: Request, address: str) -> Response:
        host = request.host.removesuffix(".localhost")
        domain = self._domain(address or f"x@{host.removeprefix('autoconfig.')}")
        if not domain:
            raise HttpError(404, "The mail of that address is not kept in this sandbox.")
        servers = "".join(SERVER.format(
            tag="outgoingServer" if offer.kind == "smtp" else "incomingServer", kind=offer.kind,
            host=f"mail.{domain}", port=port, socket=offer.socket) for offer, port in self._offers())
        return xml(CONFIG.format(domain=domain, servers=servers))

    def _pox(self, body: str, address: str) -> Response:
        asked, schema = ASKED.search(body), SCHEMA.search(body)
        address = unescape(asked[1].strip()) if asked is not None else address
        domain = self._domain(address)
        if schema is not None and schema[1].strip() != OUTLOOK:
            return xml(ERROR.format(schema=RESPONSE, code=601, message="Provider is not available"))
        if not domain:
            return xml(ERROR.format(schema=RESPONSE, code=500, message="The email address can't be found"))
        protocols = "".join(PROTOCOL.format(
            kind=offer.kind.upper(), host=f"mail.{domain}", port=port, login=escape(address),
            ssl="on" if offer.socket == "SSL" else "off", encryption="SSL" if offer.socket == "SSL" else "TLS",
        ) for offer, port in self._offers())
        return xml(SETTINGS.format(response=RESPONSE, schema=OUTLOOK, protocols=protocols))

    def _json(self, request: Request, protocol: str) -> Response:
        if protocol.lower() != "autodiscoverv1":
            return answers.json({"ErrorCode": "ProtocolNotSupported",
                                 "ErrorMessage": f"The only protocol here is AutodiscoverV1, not {protocol[:40]!r}."},
                                400)
        return answers.json({"Protocol": "AutodiscoverV1", "Url": f"{answers.root(request)}{POX}"})


def xml(text: str) -> Response:
    return answers.answer(text.encode(), "text/xml; charset=utf-8", headers=[("Cache-Control", "no-store")])


CONFIG = """\
<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1">
  <emailProvider id="{domain}">
    <domain>{domain}</domain>
    <displayName>Sandbox mail of {domain}</displayName>
    <displayShortName>Sandbox</displayShortName>
{servers}  </emailProvider>
</clientConfig>
"""
SERVER = """\
    <{tag} type="{kind}">
      <hostname>{host}</hostname>
      <port>{port}</port>
      <socketType>{socket}</socketType>
      <authentication>password-cleartext</authentication>
      <username>%EMAILADDRESS%</username>
    </{tag}>
"""
SETTINGS = """\
<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="{response}">
  <Response xmlns="{schema}">
    <Account>
      <AccountType>email</AccountType>
      <Action>settings</Action>
{protocols}    </Account>
  </Response>
</Autodiscover>
"""
PROTOCOL = """\
      <Protocol>
        <Type>{kind}</Type>
        <Server>{host}</Server>
        <Port>{port}</Port>
        <LoginName>{login}</LoginName>
        <DomainRequired>off</DomainRequired>
        <SPA>off</SPA>
        <SSL>{ssl}</SSL>
        <Encryption>{encryption}</Encryption>
        <AuthRequired>on</AuthRequired>
      </Protocol>
"""
ERROR = """\
<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="{schema}">
  <Response>
    <Error Time="00:00:00.0000000" Id="0">
      <ErrorCode>{code}</ErrorCode>
      <Message>{message}</Message>
      <DebugData />
    </Error>
  </Response>
</Autodiscover>
"""
