"""A learner's application: found, run with modules of its own, and loaded anew when one of its files changes.

Two sites may each have a `models.py`, and Python keeps one module of a name. So the modules of a site's folder have
names of their own behind the scenes: `import models`, in any of them, becomes an import of `sandbox_site_1_models`,
which `SiteFinder` finds in that folder. The statement is all that changes; what imports by a text, as Django does,
finds the plain name on the path as ever.
"""

from __future__ import annotations

import builtins
import importlib
import itertools
import os
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import find_spec, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, cast

__all__ = ["Application", "Loader"]

Application = Callable[[dict[str, Any], Callable[..., Callable[[bytes], object]]], Iterable[bytes]]
State = tuple[int, int]
"""Of a file: when it was changed, and its size."""

PREFIX = "sandbox_site_"
TEMPLATES = "templates"
"""The folder that Flask, Bottle and Jinja have their templates in."""
MAX_TEMPLATES = 200
"""Of these, so many are looked at before each request."""
NUMBERS = itertools.count(1)


class Loader:
    """The application of one site. target: "module:attribute" or "path/to/file.py:attribute".

    A file's folder is where its modules are looked for first. A module is imported from the path, once, and never
    loaded anew: it is an installed one.
    """

    def __init__(self, target: str) -> None:
        self._target = target
        self._module, _, self._attribute = target.rpartition(":")
        self._application: Application | None = None
        self._lock = threading.Lock()
        self._modules = SiteModules(Path(self._module).resolve()) if self._module.endswith(".py") else None
        if self._modules is not None:
            weakref.finalize(self, self._modules.close)      # a world that is built anew leaves nothing behind

    def load(self) -> tuple[Application, str]:
        """The application as its files are now, and the name of the file that made it be loaded anew, "" for none.

        In a thread, since it reads files and runs the application's code. Raises anything.
        """
        with self._lock:
            changed = self._modules.changed() if self._modules is not None else ""
            if self._application is None or changed:
                self._application = None                     # of one that fails now nothing is kept
                self._application = self._find()
            return self._application, changed

    def _find(self) -> Application:
        found: object = importlib.import_module(self._module) if self._modules is None else self._modules.run()
        for part in self._attribute.split("."):
            found = getattr(found, part)
        if not callable(found):
            raise TypeError(f"{self._target} is {type(found).__name__}, which cannot be called")
        return cast(Application, found)


class SiteModules:
    """The modules of one folder, under names that no other site has. file: the first one, absolute."""

    def __init__(self, file: Path) -> None:
        self.folder = str(file.parent)
        self.prefix = f"{PREFIX}{next(NUMBERS)}_"
        self.builtins = {**vars(builtins), "__import__": self._import}
        self._file = file
        self._states: dict[str, State] = {}
        """The files that were read, as they were then."""

    def run(self) -> ModuleType:
        """Everything afresh, from the first file on. Raises anything."""
        self._forget()
        SITES[self.prefix] = self
        if FINDER not in sys.meta_path:
            sys.meta_path.insert(0, FINDER)
        if self.folder not in sys.path:
            sys.path.append(self.folder)                     # for what imports by a text
        module = importlib.import_module(self.prefix + self._file.stem)
        for path in itertools.islice(files_below(os.path.join(self.folder, TEMPLATES)), MAX_TEMPLATES):
            self.read(path)                                  # frameworks keep a template once they have read it
        return module

    def close(self) -> None:
        self._forget()
        SITES.pop(self.prefix, None)

    def changed(self) -> str:
        """The name of a file that is not as it was when it was read, "" for none."""
        states = list(self._states.items())                  # other threads may import meanwhile
        return next((os.path.basename(path) for path, state in states if state_of(path) != state), "")

    def read(self, path: str) -> None:
        """A file is about to be read."""
        self._states[path] = state_of(path)

    def spec(self, name: str, path: Sequence[str] | None) -> ModuleSpec | None:
        """Where a module is. name: without the prefix; path: of its package, None for the folder itself."""
        whole = self.prefix + name
        found = PathFinder.find_spec(name, [self.folder]) if path is None else PathFinder.find_spec(whole, path)
        if found is None:
            return None
        if isinstance(found.loader, SourceFileLoader) and found.origin is not None:
            loader = SiteLoader(self, whole, found.origin)
            return spec_from_file_location(whole, found.origin, loader=loader,
                                           submodule_search_locations=found.submodule_search_locations)
        if found.loader is not None and found.origin is not None:
            return spec_from_file_location(whole, found.origin) if path is not None else None
        spec = ModuleSpec(whole, None, is_package=True)          # a folder without __init__.py
        spec.submodule_search_locations = list(found.submodule_search_locations or ())
        return spec

    def _import(self, name: str, globals_: Mapping[str, object] | None = None,
                locals_: Mapping[str, object] | None = None, fromlist: Sequence[str] | None = (),
                level: int = 0) -> ModuleType:
        """`__import__` as the modules of the folder have it."""
        if level == 0 and self._has(name.partition(".")[0]):
            name = self.prefix + name
        return __import__(name, globals_, locals_, fromlist or (), level)

    def _has(self, name: str) -> bool:
        """Whether a top-level module is the site's own. A folder without __init__.py is the last choice, as ever."""
        if self.prefix + name in sys.modules:
            return True
        if name in sys.builtin_module_names:
            return False
        spec = self.spec(name, None)
        if spec is None:
            return False
        if spec.loader is not None:
            return True
        return name not in sys.modules and ((elsewhere := find_spec(name)) is None or elsewhere.origin is None)

    def _forget(self) -> None:
        self._states.clear()
        importlib.invalidate_caches()                        # a file may be new
        for name in [name for name in sys.modules if name.startswith(self.prefix)]:
            del sys.modules[name]


class SiteLoader(SourceFileLoader):
    """Runs a file of a site. It keeps no compiled form, which would be told from its source by the second only."""

    def __init__(self, site: SiteModules, name: str, path: str) -> None:
        super().__init__(name, path)
        self._site = site

    def get_code(self, fullname: str) -> CodeType:
        self._site.read(self.path)
        return self.source_to_code(self.get_data(self.path), self.path)

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__builtins__"] = self._site.builtins
        super().exec_module(module)


class SiteFinder(MetaPathFinder):
    """Finds the modules of sites; asked by the import system."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None,
                  ) -> ModuleSpec | None:
        if not fullname.startswith(PREFIX):
            return None
        number, _, name = fullname.removeprefix(PREFIX).partition("_")
        site = SITES.get(f"{PREFIX}{number}_")
        return None if site is None else site.spec(name, path)


SITES: dict[str, SiteModules] = {}
FINDER = SiteFinder()


def files_below(folder: str) -> Iterable[str]:
    return (os.path.join(at, name) for at, _, names in os.walk(folder) for name in names)


def state_of(path: str) -> State:
    """(0, 0) for a file that is gone."""
    try:
        found = os.stat(path)
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size
