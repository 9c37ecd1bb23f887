"""Locks that stay held: taken and released in one function, but not on every way out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from conclint.source.lockcourse import Course, Exit, State
from conclint.source.lockrisk import is_fallible, is_plain
from conclint.source.lockuse import LockCall, body_nodes, lock_call, lock_calls, surely_waits
from conclint.source.testcode import in_test

if TYPE_CHECKING:
    from conclint.source.source import Source


class Leak(NamedTuple):
    """A lock that its function may leave held: by `exits`, or by an exception in `risky`."""

    taken: LockCall
    exits: tuple[Exit, ...]
    risky: cst.CSTNode | None

    def advice(self, source: Source) -> str:
        """What to do about it: `with` cannot be told to take the lock only if it is free."""
        if not is_statement(source, self.taken):
            return "release it in a `finally`"
        return "use `async with`" if source.in_coroutine(self.taken.call) else "use `with`"


def takes(source: Source) -> Iterator[LockCall]:
    """Where functions take a lock and wait for it, by `acquire()` as a statement of its own."""
    for taken in lock_calls(source, "acquire"):
        if is_statement(source, taken) and surely_waits(taken.call) and not in_test(source, taken.call):
            yield taken


def tries(source: Source) -> Iterator[LockCall]:
    """Where functions take a lock if they get it: `if lock.acquire(False):`, `if not lock.acquire(False): return`."""
    for taken in (one for one in lock_calls(source, "acquire") if not in_test(source, one.call)):
        around = source.parent(taken.call)
        negated = isinstance(around, cst.UnaryOperation) and isinstance(around.operator, cst.Not)
        outer = source.parent(around) if negated and around is not None else around
        test = around if negated else taken.call
        whole = isinstance(outer, cst.If) and outer.test is test and outer.orelse is None
        if whole and outer is not None and not isinstance(source.parent(outer), cst.If):
            yield taken


def is_statement(source: Source, taken: LockCall) -> bool:
    """`lock.acquire()`, for tasks `await lock.acquire()`."""
    outer = source.parent(taken.call)
    if isinstance(outer, cst.Await):
        return isinstance(source.parent(outer), cst.Expr)
    among_tasks = any(name.startswith(("asyncio.", "anyio.", "trio.")) for name in taken.types)
    return isinstance(outer, cst.Expr) and not among_tasks


def leaks(source: Source) -> Iterator[Leak]:
    """The locks that functions release, only not always."""
    for taken in (*takes(source), *tries(source)):
        course = Course(source, taken)
        if is_retaken(source, taken) or not course.clear or not course.releases:
            continue
        if any(one.kind == "end" and one.state is State.HELD for one in course.exits):
            continue  # the caller releases
        early = tuple(one for one in course.exits if one.state is State.HELD)
        function = source.function_node(taken.call)
        passed_on = early and source.lock_use.handed_over(taken.lock, function)
        if early and not passed_on and not any(_is_last(source, one) for one in early):
            yield Leak(taken, early, None)
        elif not early and (risky := _risky(source, course)) is not None:
            yield Leak(taken, (), risky)


def handed_out(source: Source) -> Iterator[tuple[LockCall, cst.CSTNode]]:
    """The locks that a function leaves held for its caller, each with what may fail after it was taken."""
    for taken in takes(source):
        course = Course(source, taken)
        if is_retaken(source, taken) or not course.clear or course.protected:
            continue
        if any(one.state is State.HELD and (one.kind == "end" or _is_last(source, one)) for one in course.exits):
            failing = [one.node for one in course.exits if one.kind == "raise"]
            risky = [node for node in course.risky if is_fallible(source, node)]
            found = _worst(source, risky, failing)
            if found is not None:
                yield taken, found


def _is_last(source: Source, leaving: Exit) -> bool:
    """Whether it is the function's ordinary end: then the caller releases."""
    function = source.function_node(leaving.node)
    line = source.statement(leaving.node)
    return isinstance(function, cst.FunctionDef) and function.body.body[-1] is line


def _risky(source: Source, course: Course) -> cst.CSTNode | None:
    """What raises while nobody would release the lock.

    Where `with` would say the same in fewer words, whatever may raise counts; who releases by hand in several places
    has looked at each of them.
    """
    caught = [one.node for one in course.exits if one.state is State.CAUGHT]
    several = course.protected or len(course.releases) > 1
    found = [node for node in course.risky if not several or is_fallible(source, node)]
    return _worst(source, found, caught)


def _worst(source: Source, risky: Sequence[cst.CSTNode], leaving: Sequence[cst.CSTNode]) -> cst.CSTNode | None:
    """What is likely to fail, before what hardly does."""
    firm = [node for node in risky if not is_plain(source, node)]
    return next(iter((*firm, *leaving, *risky)), None)


def is_retaken(source: Source, taken: LockCall) -> bool:
    """Whether the function let the lock go for a while, and holds it again for whoever took it first."""
    for outer in source.ancestors(taken.call):
        if isinstance(outer, cst.With) and any(source.code(item.item) == taken.text for item in outer.items):
            return True
        if isinstance(outer, cst.FunctionDef):
            first = next(operations(source, outer, taken.text), None)
            return first is not None and first.method == "release"
    return False


def operations(source: Source, function: cst.FunctionDef, text: str) -> Iterator[LockCall]:
    """What a function does to a lock, in the order of the text."""
    for node in body_nodes(function.body):
        found = lock_call(source, node)
        if found is not None and found.text == text and found.method in ("acquire", "release"):
            yield found
