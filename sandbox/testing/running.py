"""A sandbox in this process, in a thread of its own with a loop of its own, for tests of any kind."""

from __future__ import annotations

import shutil
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import trio

from sandbox.config import Config, Limits
from sandbox.pki import ca_folder, ca_path
from sandbox.testing.api import Api

if TYPE_CHECKING:
    from sandbox.app import Sandbox

__all__ = ["InProcess", "Remote", "Server"]

GRACE = 0.05
"""Seconds that open connections get when a test is over: nobody waits for their last words."""


class Server:
    """A sandbox that tests share. api: asks it; local: whether it runs in this process; ca: the file a client has to
    trust, with the Java trust store beside it."""

    api: Api
    local = False

    def close(self) -> None:
        self.api.close()


class Remote(Server):
    """One that runs elsewhere, by the address of its live page."""

    def __init__(self, url: str, token: str = "") -> None:
        self.api = Api(url, token)
        self._folder = ""

    @property
    def ca(self) -> Path:
        """Fetched once."""
        from urllib.request import ProxyHandler, build_opener
        if not self._folder:
            offered = self.api.get("services")["ca"]
            self._folder = tempfile.mkdtemp(prefix="sandbox-ca-")
            direct = build_opener(ProxyHandler({}))
            for name in ("pem", "p12"):
                with direct.open(f"{offered['pem'].removesuffix('pem')}{name}", timeout=30) as response:
                    (Path(self._folder) / f"ca.{name}").write_bytes(response.read())
        return Path(self._folder) / "ca.pem"

    def close(self) -> None:
        super().close()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)


class InProcess(Server):
    """Started when it is made; raises what a start raises. config: its ports should be free ones."""

    local = True

    def __init__(self, config: Config | None = None) -> None:
        settings = config or Config(ports="ephemeral", bind=("127.0.0.1",), ephemeral=True)
        self._config = msgspec.structs.replace(settings, limits=hurried(settings.limits))
        self._folder = Path(tempfile.mkdtemp(prefix="sandbox-"))
        lend(self._folder)
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="sandbox", daemon=True)
        self._thread.start()
        self._ready.wait()
        if (failure := self._failed()) is not None:
            self._thread.join()
            shutil.rmtree(self._folder, ignore_errors=True)
            raise failure

    @property
    def ca(self) -> Path:
        return ca_path(self._folder)

    @property
    def sandbox(self) -> Sandbox:
        """The running sandbox itself, which belongs to the thread's loop: of another thread only what says so."""
        return self._sandbox

    def close(self) -> None:
        """Stop it, and remove what it kept."""
        if self._thread.is_alive():
            super().close()
            self._token.run_sync_soon(self._stop.set)
            self._thread.join()
            keep(self._folder)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _failed(self) -> BaseException | None:
        return self._failure

    def _run(self) -> None:
        try:
            trio.run(self._main)
        except BaseException as failure:  # handed to whoever started it
            self._failure = failure
        finally:
            self._ready.set()

    async def _main(self) -> None:
        from sandbox.app import running
        from sandbox.dashboard.service import dashboard
        self._stop = trio.Event()
        self._token = trio.lowlevel.current_trio_token()
        async with running(self._config, self._folder, lazy=True) as self._sandbox, dashboard(self._sandbox) as page:
            assert page is not None, "the live page is off, or its port taken"
            self.api = Api(page.url, page.token)
            self._ready.set()
            await self._stop.wait()


AUTHORITY: dict[str, bytes] = {}
"""The files of the first sandbox's certificate authority: making its key would take each next one longer than all
else, and whoever trusts one trusts them all."""


def keep(folder: Path) -> None:
    if not AUTHORITY:
        AUTHORITY.update((file.name, file.read_bytes()) for file in ca_folder(folder).glob("*") if file.is_file())


def lend(folder: Path) -> None:
    for name, data in AUTHORITY.items():
        file = ca_folder(folder) / name
        file.parent.mkdir(mode=0o700, exist_ok=True)
        file.touch(mode=0o600)
        file.write_bytes(data)


def hurried(limits: Limits) -> Limits:
    return msgspec.structs.replace(limits, grace=min(limits.grace, GRACE))
