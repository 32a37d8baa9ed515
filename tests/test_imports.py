"""Who may import whom: the rooms of the house, held by reading the code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LEAVES = {"sandbox.address", "sandbox.errors", "sandbox.observers", "sandbox.toml", "sandbox.config"}
"""Values everybody shares; they know nobody."""

MAY = {
    "sandbox.address": set(),
    "sandbox.errors": set(),
    "sandbox.observers": set(),
    "sandbox.message": set(),  # one reading of mail for everybody: octets in, values out
    "sandbox.toml": {"sandbox.errors"},
    "sandbox.config": {"sandbox.toml", "sandbox.errors"},
    "sandbox.linux": {"sandbox.address"},
    "sandbox.datafolder": LEAVES - {"sandbox.config"},
    "sandbox.world": (LEAVES - {"sandbox.config"}) | {"sandbox.linux", "sandbox.datafolder", "sandbox.message"},
    "sandbox.pki": LEAVES - {"sandbox.config"},
    "sandbox.journal": LEAVES - {"sandbox.config", "sandbox.toml"},
    "sandbox.filter": (LEAVES - {"sandbox.config"}) | {
        "sandbox.journal.records", "sandbox.journal.matching", "sandbox.journal.facts", "sandbox.journal.traits",
        "sandbox.protocols.contract.spans"},
    "sandbox.protocols.contract": LEAVES | {"sandbox.world"},
    # pki: the website gives the authority away and says how to trust it; like the world, it knows nobody above it.
    "sandbox.protocols": LEAVES | {"sandbox.world", "sandbox.pki", "sandbox.linux", "sandbox.message"},
    "sandbox.websites": LEAVES | {"sandbox.world", "sandbox.pki", "sandbox.linux", "sandbox.protocols.http",
                                  "sandbox.protocols.contract"},
    "sandbox.protocols.tls": {"sandbox.net.layers.tls", "sandbox.protocols.contract.spans"},
    # tls has no session: words about what the I/O room does
    "sandbox.net": LEAVES | {"sandbox.journal", "sandbox.pki", "sandbox.protocols.contract", "sandbox.linux"},
    # not `net`: what octets pass is a stage of the contract, and the network lets them pass it
    "sandbox.faults": LEAVES | {"sandbox.filter", "sandbox.journal.records", "sandbox.protocols.contract"},
    "sandbox.explain": LEAVES | {"sandbox.journal", "sandbox.protocols.contract.registry"},
    "sandbox.journeys": {"sandbox.journal"},
    "sandbox.labs": LEAVES | {"sandbox.journal", "sandbox.filter", "sandbox.protocols.contract.spans",
                              "sandbox.datafolder"},
    "sandbox.console": LEAVES | {"sandbox.message", "sandbox.journal", "sandbox.explain", "sandbox.journeys"},
    "sandbox.export": LEAVES | {"sandbox.protocols.contract.spans", "sandbox.message", "sandbox.journal"},
    "sandbox.plan": LEAVES | {"sandbox.protocols.contract.registry"},
    "sandbox.starting": {"sandbox.errors"},
    "sandbox.space": LEAVES | {"sandbox.world", "sandbox.pki", "sandbox.journal", "sandbox.protocols.contract",
                               "sandbox.net", "sandbox.plan", "sandbox.starting"},
    "sandbox.spaces": LEAVES | {"sandbox.world", "sandbox.net", "sandbox.plan", "sandbox.protocols.contract.registry",
                                "sandbox.space", "sandbox.starting"},
    "sandbox.app": LEAVES | {"sandbox.world", "sandbox.pki", "sandbox.journal", "sandbox.protocols.contract",
                             "sandbox.datafolder", "sandbox.faults", "sandbox.net", "sandbox.plan", "sandbox.space",
                             "sandbox.spaces", "sandbox.starting"},
    "sandbox.dashboard": LEAVES | {"sandbox.world", "sandbox.pki", "sandbox.journal",
                                   "sandbox.faults", "sandbox.filter", "sandbox.explain", "sandbox.journeys",
                                   "sandbox.labs", "sandbox.protocols", "sandbox.websites",
                                   "sandbox.net", "sandbox.app", "sandbox.plan", "sandbox.console",
                                   "sandbox.datafolder", "sandbox.message", "sandbox.mailing",
                                   "sandbox.export", "sandbox.space", "sandbox.spaces"},
    "sandbox.mailing": {"sandbox.address", "sandbox.errors", "sandbox.pki"},  # a mail client
    "sandbox.shell": LEAVES | {"sandbox.linux", "sandbox.datafolder", "sandbox.net.joining",
                               "sandbox.protocols.contract.registry"},
    "sandbox.testing": LEAVES | {"sandbox.datafolder", "sandbox.console", "sandbox.app", "sandbox.dashboard",
                                 "sandbox.pki", "sandbox.world.routes"},
    "sandbox.cli": {"sandbox"},
    "sandbox.__main__": {"sandbox"},
    "sandbox.__init__": {"sandbox"},
}
"""What each room may import, beside itself. `cli` sits on top of everything."""

FORBIDDEN_IN_PROTOCOLS = {"socket", "ssl"}
"""A protocol is handed a conversation; it never holds a socket."""

TRIO_STREAMS = {"SocketStream", "SSLStream", "SocketListener", "SSLListener", "open_tcp_stream",
                "open_tcp_listeners", "serve_tcp", "serve_listeners", "socket", "StapledStream",
                "open_ssl_over_tcp_stream"}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted((ROOT / "sandbox").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        yield name.removesuffix(".__init__") if name != "sandbox.__init__" else name, path


def room(module: str) -> str:
    """The longest entry of MAY that a module is in."""
    found = [name for name in MAY if module == name or module.startswith(name + ".")]
    assert found, f"{module} is in no room that tests/test_imports.py knows"
    return max(found, key=len)


def imported(path: Path) -> Iterator[str]:
    """Every module of ours, and every name taken from outside, that a file imports; also inside functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write imports in full"
            assert node.module
            for alias in node.names:
                as_module = ROOT.joinpath(*node.module.split("."), alias.name)
                is_module = as_module.with_suffix(".py").exists() or as_module.is_dir()
                yield f"{node.module}.{alias.name}" if is_module else node.module


@pytest.mark.parametrize(("module", "path"), list(modules()))
def test_a_room_imports_only_what_it_may(module: str, path: Path) -> None:
    own = room(module)
    for name in imported(path):
        if name.startswith("sandbox."):  # the package itself has nothing but its version
            allowed = {own, *MAY[own]}
            assert any(name == other or name.startswith(other + ".") for other in allowed), \
                f"{module} imports {name}, which {own} may not"


@pytest.mark.parametrize(("module", "path"), [found for found in modules() if room(found[0]) == "sandbox.protocols"])
def test_a_protocol_holds_no_socket(module: str, path: Path) -> None:
    assert not {name.split(".")[0] for name in imported(path)} & FORBIDDEN_IN_PROTOCOLS
    names = {node.attr for node in ast.walk(ast.parse(path.read_text()))
             if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "trio"}
    assert not names & TRIO_STREAMS, f"{module} uses trio's streams"


LINES = 400
"""What a file may have. One that needs more has two jobs."""


@pytest.mark.parametrize(("module", "path"), list(modules()))
def test_a_file_has_one_job(module: str, path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LINES, f"{module} wants to be two"


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Also not inside functions, nor for the type checker alone: what goes round in a circle cannot be read alone.

    A package's own file stands for all of its folder, and may name what is in it.
    """
    known = dict(modules())
    arrows = {module: {name for name in imported(path) if name in known and name != module}
              for module, path in known.items()}
    while True:
        ends = {module for module, to in arrows.items() if not to & arrows.keys()}
        if not ends:
            break
        arrows = {module: to for module, to in arrows.items() if module not in ends}
    in_circles = {module for module in arrows if any(module in to for to in arrows.values())}
    assert not in_circles, f"circles among {sorted(in_circles)}"


IMPORT_BY_NAME = {
    "sandbox.protocols.contract.registry": "a protocol when its first client comes",
    "sandbox.protocols.contract.spans": "a protocol's dissector when somebody looks",
    "sandbox.cli": "one command and no other",
    "sandbox.websites.application": "a program of the person's own",
}
"""Who imports what it is told rather than what it says, and what that is. Anywhere else it would hide an arrow."""


def test_no_import_hides_in_a_string() -> None:
    assert {module for module, path in modules() if "importlib" in set(imported(path))} == set(IMPORT_BY_NAME)


def test_versions_of_http_share_the_engine_and_do_not_know_each_other() -> None:
    for module, path in modules():
        if module == "sandbox.protocols.http.engine" or module.startswith("sandbox.protocols.http.http2"):
            assert "sandbox.protocols.http.session" not in set(imported(path)), module
    engine = ROOT / "sandbox" / "protocols" / "http" / "engine.py"
    assert not any(name.startswith("sandbox.protocols.http.http2") for name in imported(engine))


def test_only_linux_calls_what_python_has_no_call_for() -> None:
    assert all(module.startswith("sandbox.linux.") for module, path in modules() if "ctypes" in set(imported(path)))


def test_who_records_does_not_know_the_database() -> None:
    """From the recorder no import leads to SQLite, however many files are between."""
    known = dict(modules())
    found, waiting = {"sandbox.journal.recorder"}, ["sandbox.journal.recorder"]
    while waiting:
        for name in imported(known[waiting.pop()]):
            assert name != "sqlite3", found
            if name in known and name not in found:
                found.add(name)
                waiting.append(name)


DOORS = {
    "dns/session", "ftp/control", "lines/session", "imap/session", "imap/reading", "sasl/authenticate",
    "sftp/carrier", "tcp/session", "http/delivery", "http/content", "http/proxy", "http/outgoing",
    "http/http2/session", "http/websocket",
}
"""Where protocols write octets to a conversation: one door each, with who says only "go on" (`reading`, `content`,
`authenticate`) and who carries what is no reply (tunnels, frames). Anywhere else a reply would pass no script."""


def test_replies_go_through_a_few_doors() -> None:
    for module, path in modules():
        if module.startswith(("sandbox.protocols.", "sandbox.websites")):
            writes = {ast.unparse(node.func.value) for node in ast.walk(ast.parse(path.read_text()))
                      if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
                      and node.func.attr in ("write", "send")}
            named = {name for name in writes if name.rpartition(".")[2].lstrip("_") in ("conversation", "talk")}
            door = module.removeprefix("sandbox.protocols.").replace(".", "/")
            assert not named or door in DOORS, f"{module} writes to {named}"


def test_a_protocol_imports_no_other_protocol() -> None:
    """Each may use its own folder and what they share, which is what lies outside the folders of the registry."""
    from sandbox.protocols.contract.registry import PROTOCOLS
    folders = {f"sandbox.protocols.{protocol.name}" for protocol in PROTOCOLS}
    for module, path in modules():
        own = next((folder for folder in folders if module.startswith(folder + ".") or module == folder), None)
        for name in imported(path) if own else ():
            other = next((folder for folder in folders if name.startswith(folder + ".") or name == folder), own)
            assert other == own, f"{module} imports {name}"
