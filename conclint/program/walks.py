"""Loops that change what they walk over: by themselves, or through a function that they call meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from conclint.index.facts import FunctionFact, Kind, Touch, Use, WalkFact
from conclint.index.walks import REMOVING
from conclint.model import Place, Span
from conclint.program.calls import Calls
from conclint.program.files import File
from conclint.program.values import Sort, split_id

# Whose walks fail when an item is put in; a list is walked on.
BRITTLE = frozenset({"builtins.set", "collections.deque"})


class Walk(NamedTuple):
    """A function that may change `path`, over which one of its loops runs.

    In what it calls `by`, where that is given: at `place`, by the method `how`, or `del`.
    """

    function: str
    path: str
    by: str = ""
    how: str = ""
    place: Place | None = None


def disturbed_walks(calls: Calls) -> Iterator[tuple[File, Walk]]:
    """Every such function of the program; a close look tells whether loop and change are one above the other."""
    for file in calls.files:
        for fact in file.header.walks:
            if not fact.by:
                if _removed(file, fact) or _grows(calls, file, fact):
                    yield file, Walk(fact.function, fact.path)
            elif calls.files.changes.of(fact.path.rpartition(".")[2].rstrip("[]")) or "." not in fact.path:
                yield from ((file, Walk(*fact, how, place)) for how, place in _removal(calls, file, fact))


def _removed(file: File, fact: WalkFact) -> bool:
    """Whether the function takes items out of the container."""
    return any(True for _ in _removes(file.body.functions[fact.function], {fact.path}))


def _grows(calls: Calls, file: File, fact: WalkFact) -> bool:
    """Whether the container is of a kind that no walk survives when items are put in."""
    values = calls.names.meaning(file, file.body.functions[fact.function], fact.path).values
    return any(value.name in BRITTLE for value in values)


def _removal(calls: Calls, file: File, fact: WalkFact) -> Iterator[tuple[str, Place]]:
    """How and where the function that is called takes items out of the same container, once."""
    function = file.body.functions[fact.function]
    waits = any(call.func == fact.by and call.use & Use.AWAITED for call in function.calls)
    for value in calls.targets(file, function, fact.by):
        home, callee = calls.function(value.name)
        if callee.kind & Kind.ASYNC and not waits:
            continue  # makes a coroutine, which runs later
        paths = set(_inside(function, callee, fact)) if value.sort is Sort.FUNCTION else set()
        paths |= {fact.path} if _is_constant(fact) and split_id(value.name)[0] == file.path else set()
        for how, line in _removes(callee, paths):
            yield how, Place(home.path, Span(line, 1, line, 1))
            return


def _is_constant(fact: WalkFact) -> bool:
    return "." not in fact.path and fact.path.strip("_").isupper()


def _inside(caller: FunctionFact, callee: FunctionFact, fact: WalkFact) -> Iterator[str]:
    """What the callee calls the container: by the attribute's name, or the parameter's."""
    receiver = fact.by.rpartition(".")[0]
    owner, _, last = fact.path.rpartition(".")
    method = bool(receiver and callee.owner and callee.params)
    if method and owner == receiver:
        yield f"{callee.params[0].name}.{last}"
    for call in caller.calls:
        if call.func == fact.by and fact.path in call.args:
            number = call.args.index(fact.path) + method
            if number < len(callee.params):
                yield callee.params[number].name


def _removes(function: FunctionFact, paths: set[str]) -> Iterator[tuple[str, int]]:
    for call in function.calls:
        owner, _, name = call.func.rpartition(".")
        if owner in paths and name in REMOVING:
            yield name, call.line
    yield from (("del", line) for path, bits, line in function.touches if path in paths and bits & Touch.DELETED)
