"""For test suites: a sandbox in the test's process or beside it, and a space of it as a value that tests use.

    api         a client of the running sandbox's API
    running     a sandbox in a thread of this process, or one that runs elsewhere
    space       a space: its services, its world, what happened in it
    away        the same for asynchronous tests
    letters     a letter that arrived
    settings    what programs and libraries are given
    report      exchanges as lines
    plugin      the pytest plugin

With the plugin nothing of this has to be imported; `docs/how-to/use-in-ci.md` shows it at work.
"""

from __future__ import annotations

from sandbox.testing.api import Api, ApiError
from sandbox.testing.away import AsyncSpace
from sandbox.testing.letters import Attachment, Letter
from sandbox.testing.running import InProcess, Remote
from sandbox.testing.settings import Settings
from sandbox.testing.space import Space

__all__ = ["Api", "ApiError", "AsyncSpace", "Attachment", "InProcess", "Letter", "Remote", "Settings", "Space"]
