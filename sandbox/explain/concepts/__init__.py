"""What the words of a course mean: port, header, resolver, mailbox. Ideas, where the knowledge has words of the wire.

Concepts are data, one file per topic in this folder, a table per concept:

    [status-code]
    title = "Status code"
    also = ["response code"]
    text = "..."
    try = [{ command = "curl -i http://{http}/nothing", see = "The first line says 404." }]
    rfc = ["RFC 9110 §15"]
    related = ["response"]
    entries = ["http:status"]
    filter = "protocol:http outcome:4xx"

text: three to eight short sentences for somebody who has never heard of it; also: other names of the same; try:
commands that run against a sandbox, with what to look at; related: concepts to read next; entries: the words of the
wire that belong to it, a whole kind or one entry of the knowledge; filter: what finds living examples in a journal,
in the filter language, "" where a journal has none.

In a command `{http}` stands for where that service is, `{dns.host}` and `{dns.port}` for the parts of it, and
`{login}`, `{password}`, `{other}`, `{domain}`, `{elsewhere}` for people and domains of the world: see `places`.
"""

from __future__ import annotations

from sandbox.explain.concepts.catalogue import Concept, Trial, about, concepts, find, get, parse, suggest
from sandbox.explain.concepts.places import filled, places

__all__ = ["Concept", "Trial", "about", "concepts", "filled", "find", "get", "parse", "places", "suggest"]
