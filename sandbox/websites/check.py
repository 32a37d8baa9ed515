"""Whether the applications of a world can be loaded, before anybody asks for them."""

from __future__ import annotations

import os
import threading
import traceback
from collections.abc import Iterable

from sandbox.websites.application import Loader
from sandbox.world.sites import SiteSpec

__all__ = ["Trouble", "first_trouble"]

SECONDS = 20.0
"""How long one application may take."""

Trouble = tuple[SiteSpec, str, str]
"""The site, what was found, and what to do about it."""


def first_trouble(sites: Iterable[SiteSpec], seconds: float = SECONDS) -> Trouble | None:
    """Import each application, as its first visitor would. None where all is well. seconds: for each."""
    for site in sites:
        if site.kind != "wsgi":
            continue
        errors: list[BaseException] = []
        done = threading.Event()
        # One that never ends must not keep the command from ending.
        threading.Thread(target=load, args=(site.value, errors, done), daemon=True).start()
        if not done.wait(seconds):
            return site, f"an application that is not loaded after {seconds:g} seconds", (
                'A call such as app.run() starts a server of its own and never returns: put it below '
                'if __name__ == "__main__".')
        if errors:
            return site, f"an application that cannot be loaded: {told(errors[0])}", (
                "Mend it, or install what it imports into the environment of the sandbox.")
    return None


def load(target: str, errors: list[BaseException], done: threading.Event) -> None:
    try:
        Loader(target).load()
    except BaseException as error:
        errors.append(error)
    finally:
        done.set()


def told(error: BaseException) -> str:
    """Kind, text and place: "NameError: name 'x' is not defined (app.py, line 3)"."""
    text = traceback.format_exception_only(error)[-1].strip()
    if isinstance(error, SyntaxError) and error.filename:
        return f"{text} ({os.path.basename(error.filename)}, line {error.lineno})" if ", line" not in text else text
    frames = [frame for frame in traceback.extract_tb(error.__traceback__)
              if not frame.filename.startswith("<") and frame.filename != Loader.__init__.__code__.co_filename]
    own = [frame for frame in frames if frame.filename != __file__]
    return f"{text} ({os.path.basename(own[-1].filename)}, line {own[-1].lineno})" if own else text
