"""What calling a function gives, as far as it matters whether that can be called again."""

from __future__ import annotations

from collections.abc import Iterable

from conclint.index.facts import FunctionFact, Kind
from conclint.program.calls import Calls
from conclint.program.files import File
from conclint.program.values import Meaning, Reach, Sort, Value

# Literals, as paths: none of them can be called.
PLAIN = frozenset({"$const", "$list", "$dict", "$set", "$tuple", "$generator"})

# Decorators that leave alone what the function gives.
KEEPING = frozenset({"staticmethod", "classmethod"})

# How deep a function that only gives what another gives is followed.
DEEP = 4


class Results:
    """Answers about what functions of the program give."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def barren(self, identity: str, depth: int = DEEP) -> bool:
        """Whether it, and everything that overrides it, surely gives nothing that can be called."""
        file, function = self._calls.function(identity)
        if function.kind & (Kind.ASYNC | Kind.GENERATOR):
            return not function.decorators
        if {*function.decorators} - KEEPING or _only_promised(function) or depth <= 0:
            return False
        if function.owner:
            method = Value(Sort.FUNCTION, identity, f"{file.path}:{function.owner}", Reach.SELF)
            overrides = [one.name for one in self._calls.overrides(method) if one.name != identity]
            if not all(self.barren(one, depth - 1) for one in overrides):
                return False
        return all(self._plain(file, function, path, depth) for path in function.returns)

    def coroutines(self, identities: Iterable[str]) -> tuple[str, ...]:
        """Those that are `async def`, and that no decorator may have turned into something else."""
        functions = ((identity, self._calls.function(identity)[1]) for identity in sorted(identities))
        return tuple(identity for identity, function in functions if _is_coroutine(function))

    def unending(self, identities: Iterable[str]) -> tuple[str, ...]:
        """The generators that never come to an end."""
        kinds = ((identity, self._calls.function(identity)[1].kind) for identity in sorted(identities))
        return tuple(identity for identity, kind in kinds if kind & Kind.GENERATOR and kind & Kind.ENDLESS)

    def _plain(self, file: File, function: FunctionFact, path: str, depth: int) -> bool:
        """Whether what is returned is a literal, or what another such function gives."""
        if path in PLAIN:
            return True
        bound = [value for target, value in function.binds if target == path and path]
        if bound and depth > 0 and path.isidentifier() and all(param.name != path for param in function.params):
            return all(self._plain(file, function, value, depth - 1) for value in bound)
        if not path.endswith("()"):
            return False
        called: Meaning = self._calls.names.meaning(file, function, path.removesuffix("()"))
        values = called.values
        return bool(values) and all(one.sort is Sort.FUNCTION and self.barren(one.name, depth - 1) for one in values)


def _only_promised(function: FunctionFact) -> bool:
    """A method that subclasses are to write."""
    touched = {path for path, _, _ in function.touches}
    return "NotImplementedError" in touched or (bool(function.owner) and not function.calls and not touched)


def _is_coroutine(function: FunctionFact) -> bool:
    kept = all(one in KEEPING for one in function.decorators)
    return bool(function.kind & Kind.ASYNC) and not function.kind & Kind.GENERATOR and kept
