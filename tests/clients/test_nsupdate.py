"""nsupdate changes names of a running sandbox."""

from __future__ import annotations

import pytest

from sandbox.app import Sandbox
from sandbox.config import Config, Dns
from tests.support.network import watching
from tests.support.programs import run

SECRET = "c2VjcmV0IG9mIHRoZSB0ZXN0cyBhbG9uZSwgMzIgb2N0ZXRz"


@pytest.fixture
def config() -> Config:
    return Config(ports="ephemeral", dns=Dns(keys={"writer": SECRET}))


@pytest.mark.program("nsupdate", "bind9-dnsutils")
@pytest.mark.parametrize("transport", [(), ("-v",)])
async def test_nsupdate_changes_names(sandbox: Sandbox, transport: tuple[str, ...]) -> None:
    host, port = sandbox.endpoints["dns"]
    said = (f"server {host} {port}\nzone example.com\nprereq nxdomain new.example.com\n"
            "update add new.example.com 300 A 127.0.0.77\nupdate add new.example.com 300 TXT \"by nsupdate\"\nsend\n")
    with watching(sandbox.journal) as watcher:
        await run("nsupdate", *transport, "-y", f"hmac-sha256:writer:{SECRET}", stdin=said.encode())
        told = await watcher.wait_for(lambda session, exchange: exchange.verb == "UPDATE")
        assert (told.asked, told.outcome, told.facts["tsig"]) == ("example.com", "NOERROR", "writer")
        answer = (await run("dig", f"@{host}", "-p", str(port), "+short", "new.example.com", "TXT")).text
        assert answer == '"by nsupdate"\n'
        again = await run("nsupdate", *transport, "-y", f"hmac-sha256:writer:{SECRET}", stdin=said.encode(), status=2)
        assert "YXDOMAIN" in again.errors
        stranger = await run("nsupdate", *transport, "-y", f"hmac-sha256:stranger:{SECRET}", stdin=said.encode(),
                             status=2)
        assert "NOTAUTH(BADKEY)" in stranger.errors
        unsigned = await run("nsupdate", *transport, stdin=said.encode(), status=2)
        assert "REFUSED" in unsigned.errors
