"""Work given to pools: which calls give it, what they return, and what becomes of that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from conclint.knowledge.pools import GIVES, Gives
from conclint.source.paths import path_of
from conclint.source.variables import added_to, bound_to, is_target, made_empty, only_fills, reads

if TYPE_CHECKING:
    from conclint.program.scene import TargetScene
    from conclint.source.source import Source

LAST = frozenset(name.rpartition(".")[2] for name in GIVES)

# Work that ends something: at the end nobody is left to care.
ENDS = frozenset({"close", "join", "shutdown", "stop", "cancel", "kill", "terminate", "cleanup", "disconnect", "set"})


class Given(NamedTuple):
    """A call that gives work to a pool: `pool.submit(f, x)`."""

    call: cst.Call
    func: cst.Attribute
    gives: Gives

    @property
    def pool(self) -> cst.BaseExpression:
        return self.func.value

    @property
    def work(self) -> cst.Arg | None:
        """The argument that says what is to be called."""
        first = self.call.args[0] if self.call.args else None
        named = next((arg for arg in self.call.args if arg.keyword is not None and arg.keyword.value == "func"), None)
        return named or (first if first is not None and not first.star and first.keyword is None else None)


def given(source: Source) -> Iterator[Given]:
    """Every call in the parsed regions that gives work to a pool."""
    for call in source.all(cst.Call):
        func = call.func
        if isinstance(func, cst.Attribute) and func.attr.value in LAST:
            known = next((GIVES[name] for name in source.names(func) if name in GIVES), None)
            if known is not None:
                yield Given(call, func, known)


def lost(source: Source, call: cst.CSTNode) -> bool:
    """Whether nobody ever looks at what the call returns: dropped, or kept in a variable that is never read."""
    if isinstance(source.parent(call), cst.Expr):
        return True
    name = bound_to(source, call)
    if name is not None:
        return name.value != "_" and not reads(source, name)
    container = added_to(source, call)
    if container is None:
        return False
    read = reads(source, container)
    return read != [container] and all(only_fills(source, one) for one in read) and _own(source, container)


def _own(source: Source, container: cst.Name) -> bool:
    return is_target(source, container) or made_empty(source, container)


def targets(source: Source, one: Given) -> tuple[TargetScene, ...]:
    """The functions of the program that are given to the pool."""
    return source.starts(one.call)[1]


def handles_its_errors(source: Source, one: Given) -> bool:
    """Whether all that the pool is given lets no exception pass, or only ends something."""
    found = targets(source, one)
    if found:
        return all(target.catches for target in found)
    return one.work is not None and path_of(one.work.value).rpartition(".")[2] in ENDS


def is_seen(source: Source, one: Given) -> bool:
    """Whether it is known what the pool is given: functions of the program, or of a library."""
    return bool(targets(source, one)) or (one.work is not None and bool(source.names(one.work.value)))
