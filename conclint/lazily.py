"""Modules that are loaded when they are first used: libcst costs more than a whole run over unchanged files.

`importlib.util.LazyLoader` does not serve: an `import` statement looks at `__spec__`, and there every look loads.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from contextlib import suppress
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.abc import Loader


class _Lazy(ModuleType):
    """Stands for a module until something is asked of it that only the loaded module has."""

    def __getattr__(self, name: str) -> object:
        self.__dict__["__lazy__"].load()
        try:
            return self.__dict__[name]
        except KeyError:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}") from None


class _State:
    """Who loads the module; others wait, and the loading thread itself sees the module half made, as in any import."""

    def __init__(self, module: ModuleType, spec: ModuleSpec) -> None:
        self._module = module
        self._spec = spec
        self._lock = threading.RLock()
        self._begun = False

    def load(self) -> None:
        with self._lock:
            if not self._begun and self._spec.loader is not None:
                self._begun = True
                self._execute(self._spec.loader)

    def _execute(self, loader: Loader) -> None:
        try:
            # Only now: an import of a submodule asks for the path, and so finds the whole module loaded.
            if self._spec.submodule_search_locations is not None:
                self._module.__path__ = self._spec.submodule_search_locations
            loader.exec_module(self._module)
        except BaseException:
            self._begun = False
            raise
        self._module.__class__ = ModuleType


def lazily(name: str) -> None:
    """Let the next `import name` (a top-level module) be free; the first use of an attribute loads the module.

    Importing one of its submodules loads it too.  A module that is loaded already, or is not installed, stays as it is.
    """
    if name in sys.modules:
        return
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        return
    module = _Lazy(name)
    module.__spec__ = spec
    module.__loader__ = spec.loader
    module.__package__ = name
    if spec.origin is not None:
        module.__file__ = spec.origin
    module.__dict__["__lazy__"] = _State(module, spec)
    sys.modules.setdefault(name, module)


def load(name: str) -> None:
    """Load a module now, lazy or not; no matter if it is not installed."""
    with suppress(ImportError):
        state = vars(importlib.import_module(name)).get("__lazy__")
        if isinstance(state, _State):
            state.load()
