"""What a client sent: query strings, forms in both encodings, JSON.

- application/x-www-form-urlencoded (WHATWG URL §5), as in a query
- multipart/form-data (RFC 7578, over RFC 2046 §5.1)
- application/json (RFC 8259) and its relatives (+json, RFC 6839 §3.1)

Everything is read whole, up to a limit. What cannot be parsed raises HttpError(400) and nothing else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import parse_qsl

import trio

from sandbox.protocols.http.messages import Headers, HttpError, Request

__all__ = ["LARGE", "Form", "Part", "any_form", "grouped", "media_type", "parse_json", "parse_multipart",
           "parse_query", "read_form"]

FORM_LIMIT = 16_777_216
"""Octets of a form with its files: enough for a photograph."""
LARGE = 262_144
"""Octets from which on content is taken apart in a worker thread: that takes a while, and nobody else should wait."""
MAX_FIELDS = 1_000
"""Fields of a form or a query: nobody types more."""
MAX_PART_HEAD = 8_192
"""Octets of the header of one part."""

PARAMETER = re.compile(r';\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))')


class Part(NamedTuple):
    """One field of a form. filename: None for a field that is no file."""

    name: str
    content: bytes
    filename: str | None = None
    media_type: str = "text/plain"

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")


class Form(NamedTuple):
    fields: list[tuple[str, str]]
    files: list[Part]

    def get(self, name: str) -> str:
        """The first field of that name, "" if there is none."""
        return next((value for key, value in self.fields if key == name), "")


def media_type(value: str) -> tuple[str, dict[str, str]]:
    """A Content-Type or Content-Disposition: the type in lower case, its parameters by lower-case name."""
    essence, _, rest = value.partition(";")
    found: dict[str, str] = {}
    for name, quoted, bare in PARAMETER.findall(";" + rest):
        found.setdefault(name.lower(), re.sub(r"\\(.)", r"\1", quoted) if quoted else bare)
    return essence.strip().lower(), found


def parse_query(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, keep_blank_values=True, errors="replace", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise HttpError(400, f"There are more than {MAX_FIELDS} fields.") from None


def grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, str | list[str]]:
    """Fields by name: a string for one that came once, a list for one that came more often."""
    lists: dict[str, list[str]] = {}
    for name, value in pairs:
        lists.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in lists.items()}


def parse_json(data: bytes) -> object:
    """Raises HttpError(400) with line and column. NaN and Infinity are no JSON (RFC 8259 §6)."""
    try:
        return json.loads(data.decode("utf-8"), parse_constant=refuse_constant)
    except UnicodeDecodeError as error:
        raise HttpError(400, f"JSON is UTF-8 (RFC 8259 §8.1); octet {error.start + 1} is not.") from None
    except json.JSONDecodeError as error:
        raise HttpError(400, f"This is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from None
    except RecursionError:
        raise HttpError(400, "This JSON is nested too deeply.") from None
    except ValueError as error:
        raise HttpError(400, f"This is not JSON we can keep: {error}.") from None


def refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON number (RFC 8259 §6)")


async def read_form(request: Request, limit: int = FORM_LIMIT) -> Form:
    """The form in the content. Raises HttpError 400, 413, and 415 when it is no form."""
    essence, _ = media_type(request.headers.get("content-type"))
    if essence not in ("application/x-www-form-urlencoded", "multipart/form-data"):
        raise HttpError(415, "Send a form: application/x-www-form-urlencoded or multipart/form-data.", [
            ("Accept-Post", "application/x-www-form-urlencoded, multipart/form-data")])
    return await any_form(request, limit)


async def any_form(request: Request, limit: int = FORM_LIMIT) -> Form:
    """The form in the content; an empty one where it is none. Raises HttpError 400, 413."""
    essence, parameters = media_type(request.headers.get("content-type"))
    data = await request.body.read(limit)
    if len(data) < LARGE:
        return parse_form(essence, parameters, data)
    return await trio.to_thread.run_sync(parse_form, essence, parameters, data)


def parse_form(essence: str, parameters: dict[str, str], data: bytes) -> Form:
    """A form in either encoding; an empty one for any other media type."""
    if essence == "application/x-www-form-urlencoded":
        return Form(parse_query(data.decode("utf-8", "replace")), [])
    if essence == "multipart/form-data":
        parts = parse_multipart(data, parameters.get("boundary", ""))
        return Form([(part.name, part.text) for part in parts if part.filename is None],
                    [part for part in parts if part.filename is not None])
    return Form([], [])


def parse_multipart(data: bytes, boundary: str) -> list[Part]:
    """The parts of a multipart/form-data body, in order.

    RFC 2046 §5.1.1: delimiter = CRLF "--" boundary, where the first CRLF may be the start of the body; what comes
    before the first delimiter and after the closing one is thrown away.
    """
    if not 1 <= len(boundary) <= 70 or not boundary.isascii():
        raise HttpError(400, "multipart/form-data needs a boundary of 1 to 70 characters (RFC 2046 §5.1.1).")
    pieces = (b"\r\n" + data).split(b"\r\n--" + boundary.encode(), MAX_FIELDS + 2)
    if len(pieces) > MAX_FIELDS + 2:
        raise HttpError(400, f"The form has more than {MAX_FIELDS} parts.")
    parts: list[Part] = []
    for piece in pieces[1:]:
        if piece.startswith(b"--"):
            return parts
        padding, newline, content = piece.partition(b"\r\n")
        if not newline or padding.strip(b" \t"):
            raise HttpError(400, "A boundary of the form is not at the end of its line (RFC 2046 §5.1.1).")
        parts.append(parse_part(content))
    raise HttpError(400, "The form ends without its closing boundary (RFC 2046 §5.1.1).")


def parse_part(content: bytes) -> Part:
    head, blank, body = (b"\r\n" + content).partition(b"\r\n\r\n")
    if not blank or len(head) > MAX_PART_HEAD:
        raise HttpError(400, "A part of the form has no end to its header.")
    fields = Headers()
    for line in head.decode("utf-8", "replace").split("\r\n")[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise HttpError(400, "A part of the form has a header line without a colon.")
        fields.add(name.strip(), value.strip())
    disposition, parameters = media_type(fields.get("content-disposition"))
    if disposition != "form-data" or "name" not in parameters:
        raise HttpError(400, "A part of the form has no name: RFC 7578 §4.2 wants Content-Disposition: form-data; "
                             'name="...".')
    filename = parameters.get("filename")
    return Part(unescape(parameters["name"]), body, None if filename is None else unescape(filename),
                fields.get("content-type", "text/plain"))


def unescape(name: str) -> str:
    """Browsers write a quote and line ends inside a name as %22, %0D and %0A (WHATWG HTML §4.10.22.7)."""
    return name.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")
