"""Plain flags that a loop asks again and again, and that another thread changes."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.index.facts import FunctionFact, Touch
from conclint.knowledge.kinds import Context
from conclint.program.calls import Calls
from conclint.program.contexts import Contexts
from conclint.program.files import File
from conclint.program.values import Store, function_id

# What is set before anything runs tells nobody anything.
BEFORE = frozenset({"__init__", "__new__", ""})


class Flags:
    """Answers for the functions of one program."""

    def __init__(self, calls: Calls, contexts: Contexts) -> None:
        self._calls = calls
        self._contexts = contexts

    def polled(self, file: File, function: FunctionFact) -> Iterator[Store]:
        """The flags that a loop of the function asks, sleeping or spinning, while another thread may change them."""
        if not any(target == "$while" and path for target, path in function.binds):
            return
        for target, path in function.binds:
            store = self._calls.names.meaning(file, function, path).store if target == "$while" and path else None
            if store is not None and not path.endswith("()") and self._told(file, function, store):
                yield store

    def _told(self, file: File, asker: FunctionFact, store: Store) -> bool:
        """Whether another function changes it that runs in a thread, or that does not while the asker does."""
        elsewhere = self._in_thread(function_id(file.path, asker.qualname))
        for home, function, prefix in self._calls.names.stores.users(store):
            spelled = prefix + store.path
            changes = any(path == spelled and bits & Touch.WRITE for path, bits, _ in function.touches)
            if not changes or function.qualname == asker.qualname or function.name in BEFORE:
                continue
            changer = function_id(home.path, function.qualname)
            by_signal = any(run.context is Context.SIGNAL for run in self._contexts.runs(changer))
            if elsewhere != self._in_thread(changer) and not by_signal:
                return True
        return False

    def _in_thread(self, identity: str) -> bool:
        return any(run.context is Context.THREAD for run in self._contexts.runs(identity))
