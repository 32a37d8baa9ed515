"""The data folder: where it is, who holds it, and how other commands find the sandbox that runs on it.

One sandbox at a time uses a folder. It holds a lock on the file `lock` for as long as it lives; the system lets go
of it even after a crash, so nothing stale is ever left behind. `run.json` says where its services are.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType

import msgspec

from sandbox.errors import UserError

__all__ = ["Endpoint", "Folder", "FolderError", "LivePage", "ReadyFile", "Running", "default_data",
           "read_running", "write_whole"]

LOCK = "lock"
RUN = "run.json"
TRIES = 20
PAUSE = 0.01
"""Seconds. `read_running` holds the lock for a moment to see whether it is free: try again before giving up."""


class FolderError(UserError):
    """The data folder cannot be used. The message says why and what to do."""


class Endpoint(msgspec.Struct, frozen=True):
    """Where a service is, as clients on this machine reach it."""

    host: str
    port: int


class LivePage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the live page is, and what makes somebody from elsewhere a teacher there.

    elsewhere: where it is for other machines, "" where they cannot reach it.
    """

    url: str
    token: str
    elsewhere: str = ""

    @property
    def teacher(self) -> str:
        """Where a teacher on another machine opens it. The token is in the fragment, which no server is sent."""
        return f"{self.elsewhere}#token={self.token}" if self.elsewhere else ""


class Running(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A sandbox at work: the contents of `run.json`, and of the file that `--ready-file` names.

    services: by role name; dashboard: the live page; ca: the file with the certificate authority's certificate;
    started: seconds since the epoch.
    """

    pid: int
    services: dict[str, Endpoint]
    dashboard: LivePage | None = None
    ca: str = ""
    started: float = 0.0

    def encode(self) -> bytes:
        """As JSON for people and programs."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


class Folder:
    """An open data folder, ours alone until it is closed. A context manager; `path` is absolute.

    path: made with mode 0700 where it is missing; None for a temporary one, which goes when it is closed.
    Raises FolderError.
    """

    def __init__(self, path: Path | None) -> None:
        self._temporary = path is None
        self.path = (Path(tempfile.mkdtemp(prefix="sandbox-")) if path is None else path).absolute()
        try:
            # It will hold mail and private keys: for the owner's eyes only.
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            raise FolderError(f"The data folder {self.path} is a file. Choose another with --data DIR.") from None
        except OSError as error:
            raise FolderError(f"The data folder {self.path} cannot be used ({error.strerror}). Choose another with "
                              "--data DIR, or keep nothing with --ephemeral.") from None
        try:
            self._take()
        except BaseException:
            os.close(self._lock)
            raise
        (self.path / RUN).unlink(missing_ok=True)  # whoever wrote it is gone

    def _take(self) -> None:
        for attempt in range(TRIES):
            if try_lock(self._lock, fcntl.LOCK_EX):
                os.ftruncate(self._lock, 0)
                os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)
                return
            if attempt < TRIES - 1:
                time.sleep(PAUSE)
        pid = os.pread(self._lock, 32, 0).decode("ascii", "replace").strip()
        holder = f"another sandbox, process {pid}" if pid else "another sandbox"
        raise FolderError(f"The data folder {self.path} is in use by {holder}. "
                          "Stop that one, choose another folder with --data DIR, or keep nothing with --ephemeral.")

    def announce(self, running: Running) -> None:
        """Tell other commands where the services are. Call when all of them accept."""
        write_whole(self.path / RUN, running.encode())

    def withdraw(self) -> None:
        """The services stop: other commands find none any more."""
        (self.path / RUN).unlink(missing_ok=True)

    def close(self) -> None:
        """Let others have the folder. A temporary one is removed."""
        self.withdraw()
        os.close(self._lock)
        if self._temporary:
            shutil.rmtree(self.path, ignore_errors=True)

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        self.close()


class ReadyFile:
    """The file that says a sandbox is ready, for as long as it is. A context manager; path: None for no file.

    Whoever waits for it must never see the one of an earlier start, which a kill has left: it is removed first.
    Raises UserError.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path.absolute() if path is not None else None
        self._written = b""

    def write(self, running: Running) -> None:
        """Call when all services accept."""
        if self._path is not None:
            self._written = running.encode()
            with self._minding(self._path):
                write_whole(self._path, self._written)

    def remove(self) -> None:
        """Nobody is ready any more. Another sandbox may have been told the same name meanwhile: its file stays."""
        if self._path is not None and self._written:
            with contextlib.suppress(OSError):
                if self._path.read_bytes() == self._written:
                    self._path.unlink()

    def __enter__(self) -> ReadyFile:
        if self._path is not None:
            with self._minding(self._path):
                self._path.unlink(missing_ok=True)
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()

    @contextlib.contextmanager
    def _minding(self, path: Path) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UserError(f"The ready file {path} cannot be written ({error.strerror}). "
                            "Its folder must exist and be yours to write to.") from error


def default_data(environ: Mapping[str, str] = os.environ) -> Path:
    """The user's own data folder (XDG Base Directory Specification; on macOS, Application Support)."""
    home = Path(environ.get("HOME") or os.path.expanduser("~"))
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "sandbox"
    named = environ.get("XDG_DATA_HOME", "")
    # The specification has relative paths ignored.
    return (Path(named) if os.path.isabs(named) else home / ".local" / "share") / "sandbox"


def read_running(data: Path) -> Running | None:
    """The sandbox that runs on a data folder, when it is ready. None: there is none, or it is still starting."""
    try:
        lock = os.open(data / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if try_lock(lock, fcntl.LOCK_SH):
            return None  # a living one would hold it
    finally:
        os.close(lock)
    try:
        return msgspec.json.decode((data / RUN).read_bytes(), type=Running)
    except (OSError, msgspec.DecodeError):
        return None


def try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def write_whole(file: Path, data: bytes) -> None:
    """Write a file so that readers see all of it or the one before, never a part. Raises OSError."""
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(name, file)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
