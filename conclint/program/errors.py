"""Whether a function lets exceptions pass, and whether it ever ends, as far as the program shows."""

from __future__ import annotations

from conclint.index.facts import FunctionFact, Kind
from conclint.index.manner import QUIET
from conclint.knowledge.names import members
from conclint.program.calls import Calls
from conclint.program.files import File
from conclint.program.values import function_id

# Callees of callees are asked so deep whether they catch what they do.
DEEP = 3

# Reading from what somebody closes raises, which ends a loop too.
CLOSED = members("accept recv recvfrom recv_bytes recv_into read readline readlines next poll select")
EXITS = members("exit _exit abort quit")


# docs.python.org/3/library/logging.html#logging.Handler.handleError: handlers deal with what goes wrong in them
TELLING = frozenset({"super().emit", "super().handle"})


class Errors:
    """Answers about exceptions."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def caught(self, identity: str, depth: int = DEEP) -> bool:
        """Whether all that it does happens where exceptions are caught, by itself or by those that it calls."""
        file, function = self._calls.function(identity)
        if function.kind & Kind.CATCHES or self._wrapped(file, function):
            return True
        risky = [call.func for call in function.calls if call.func.rpartition(".")[2] not in QUIET | {"super"}]
        return bool(depth and risky) and all(self._safe(file, function, one, depth) for one in risky)

    def _wrapped(self, file: File, function: FunctionFact) -> bool:
        """Whether a decorator of the program's own puts something around it that lets no exception pass."""
        scope = file.body.functions[""]
        for path in function.decorators:
            for value in self._calls.targets(file, scope, path.removesuffix("()")):
                home, decorator = self._calls.function(value.name)
                inside = home.body.functions.within.get(decorator.qualname, ())
                if any(home.body.functions[one].kind & Kind.CATCHES for one in inside):
                    return True
        return False

    def never_ends(self, identity: str) -> bool:
        """Whether it runs a loop for ever, in which nothing is read that somebody can close."""
        _, function = self._calls.function(identity)
        if function.kind & (Kind.ENDLESS | Kind.GENERATOR | Kind.ASYNC) != Kind.ENDLESS:
            return False
        return all(call.func.rpartition(".")[2] not in CLOSED | EXITS for call in function.calls)

    def _safe(self, file: File, function: FunctionFact, path: str, depth: int) -> bool:
        found = self._calls.targets(file, function, path)
        if not found:
            return self._of_handler(file, function, path)
        return all(self.caught(value.name, depth - 1) for value in found)

    def _of_handler(self, file: File, function: FunctionFact, path: str) -> bool:
        """`super().emit(record)` in a handler for logging."""
        cls = function_id(file.path, function.owner)
        bases = self._calls.names.classes.mro(cls) if path in TELLING and function.owner else ()
        return any(base.startswith("logging.") for base in bases)
