"""Which functions may hold a lock while they call others, told from their `with` items before anybody looks closely."""

from __future__ import annotations

from conclint.index.facts import CallFact, FunctionFact, Use
from conclint.knowledge.lockwords import gives_lock
from conclint.program.calls import Calls
from conclint.program.files import File
from conclint.program.values import Sort, Value, function_id

ENTER = ".__enter__"

# Managers that use managers are followed so far.
DEEPEST = 4


class MayLock:
    """Answers for one program."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._known: dict[str, bool] = {}

    def function(self, file: File, function: FunctionFact, depth: int = DEEPEST) -> bool:
        """Whether something that the function enters or acquires may be a lock, or hold one."""
        identity = function_id(file.path, function.qualname)
        if identity not in self._known:
            self._known[identity] = False  # for those that come back here
            self._known[identity] = any(self._holds(file, function, call, depth) for call in function.calls)
        return self._known[identity]

    def _holds(self, file: File, function: FunctionFact, call: CallFact, depth: int) -> bool:
        if call.func.endswith(".acquire"):
            return True
        if not call.use & Use.WITH:
            return False
        path = call.func.removesuffix(ENTER)
        last = path.rpartition(".")[2].removesuffix("[]")
        if gives_lock(last) or depth == 0:
            return True
        entered = path if path is not call.func else path + "()"
        values = self._calls.names.meaning(file, function, entered).values
        return any(self._is_lock(value, depth) for value in values) or any(
            self.function(*self._calls.function(value.name), depth - 1)
            for value in self._calls.targets(file, function, path)
        )

    def _is_lock(self, value: Value, depth: int) -> bool:
        if value.sort is not Sort.INSTANCE:
            return False
        names = self._calls.names
        own = ":" in value.name
        bases = names.classes.mro(value.name) if own else names.knowledge.ancestors(value.name)
        enter = self._calls.method(value.name, "__enter__") if own else ""
        return any(base in names.knowledge.locks for base in bases) or bool(
            enter and self.function(*self._calls.function(enter), depth - 1)
        )
