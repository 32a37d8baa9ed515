"""The words in which an exchange says more about itself: a closed vocabulary.

Sessions set facts with `exchange.note(name, value)`, the HTTP engine's handlers in `request.facts`. The filter asks
for them by name, the page and JSON show them. A fact is what the protocol knew when it served; nobody takes `asked`
apart to learn it again. Every name stands here, and a test holds the table to what real dialogues set.

*Where a new fact goes:* a line in the table with its meaning and who sets it, a row in docs/reference/facts.md, the
`note` in the protocol, and a dialogue in tests/test_facts.py that shows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["FACTS", "Fact"]


class Fact(NamedTuple):
    """One name. meaning: a sentence; setters: the protocols that set it, "tls" for a handshake, whatever it protects,
    "all" for what the rooms around the protocols set."""

    name: str
    meaning: str
    setters: frozenset[str]


def _fact(name: str, setters: str, meaning: str) -> tuple[str, Fact]:
    return name, Fact(name, meaning, frozenset(setters.split()))


FACTS: Mapping[str, Fact] = MappingProxyType(dict((
    # who and where
    _fact("host", "http tls", "The host name the client asked for: HTTP's Host, TLS's server name."),
    _fact("path", "http", "The path of the target, without what follows a question mark."),
    _fact("query", "http", "What follows the question mark in the target."),
    _fact("referer", "http", "The page the client says it came from."),
    _fact("agent", "http imap sftp", "The program the client says it is."),
    _fact("fetch", "http",
          "What a browser fetches for: destination, mode and site of Sec-Fetch; else, by Accept, document."),
    _fact("cookies", "http", "How many cookies the client sent (RFC 6265 §5.4)."),
    _fact("account", "http ftp smtp pop3 imap sftp", "The person who is logged in, or just was."),
    _fact("email", "ftp", "What an anonymous guest gave as a password; by custom, an address."),
    _fact("name", "http", "The name that a DNS question inside the exchange asked about."),
    _fact("secret", "http ftp smtp pop3 imap",
          "The secret that the client's octets hold in readable form: a password, or a token."),
    _fact("encrypted", "all", "What the octets were encrypted with on their way: a version of TLS, or SSH."),
    # mail
    _fact("message", "smtp pop3 imap", "The numbers of the stored messages it was about, or that it stored."),
    _fact("message-id", "smtp", "The Message-ID of the message."),
    _fact("sender", "smtp", "The envelope's sender, empty for a report."),
    _fact("recipients", "smtp", "The envelope's recipients that were accepted."),
    _fact("report", "smtp", "Why a report on a failed delivery could not be made."),
    # files
    _fact("file", "http ftp sftp", "The file or folder, from the root of the home or the website."),
    _fact("octets", "ftp sftp", "How many octets of the file passed."),
    _fact("sha256", "ftp sftp", "The SHA-256 of the file, where all of it passed."),
    _fact("seconds", "ftp", "How long the transfer took."),
    _fact("uncertain", "ftp", "What part of a transfer may differ from the file, which was being changed."),
    # HTTP
    _fact("stream", "http", "The number of the HTTP/2 stream."),
    _fact("reset", "http", "The error code with which the client gave the stream up."),
    _fact("tunnel", "http", "The host that the tunnel of a CONNECT leads to."),
    _fact("proxied", "http", "How the client asked a proxy for it."),
    _fact("change", "http", "What somebody asked the API to change, without secrets."),
    _fact("route", "http", "The number of the route that answered, which somebody has set up."),
    _fact("probe", "http", "The host of a system's test whether it is online."),
    _fact("dns", "http", "The DNS question inside the request, and what became of it."),
    _fact("digest", "http", "Why a Digest login was turned away."),
    _fact("reloaded", "http", "The file whose change made a website's application be loaded anew."),
    _fact("errors", "http", "What a website's application wrote to wsgi.errors, such as its log."),
    # DNS
    _fact("class", "dns", "The class of the question, where it is not IN."),
    _fact("cookie", "dns", "What the DNS cookie of the question was."),
    _fact("serial", "dns", "The serial number of the zone that was transferred."),
    _fact("tsig", "dns", "The key that a signed question named."),
    # encryption
    _fact("version", "tls", "The version of TLS that both agreed on."),
    _fact("suite", "tls", "The cipher suite that both agreed on."),
    _fact("alpn", "tls", "The application protocol that both agreed on."),
    _fact("ja3", "tls", "The JA3 fingerprint of the client's hello."),
    _fact("ja4", "tls", "The JA4 fingerprint of the client's hello."),
    _fact("alert-received", "tls", "The alert that the client sent."),
    _fact("alert-sent", "tls", "The alert that the sandbox sent."),
    _fact("detail", "tls", "Why the handshake failed, in the words of the TLS engine."),
    _fact("cipher", "sftp", "The cipher of the SSH connection."),
    _fact("mac", "sftp", "How the SSH connection guards its octets against change."),
    # what went wrong
    _fact("problem", "http dns", "What was wrong with what the client sent."),
    _fact("warning", "smtp pop3 imap ftp", "What a careful person would not have done, a word of the knowledge."),
    _fact("line-end", "smtp pop3 ftp", "How a line ended that did not end as it should."),
    _fact("fault", "all", "What struck it on purpose: the number of the rule and its action, or a name."),
    _fact("thrown-away", "all", "What arrived in clear before a handshake, and was not obeyed."),
    _fact("traceback", "all", "Where a fault in the sandbox, or in a website of yours, happened."),
)))
"""Every fact by its name."""
