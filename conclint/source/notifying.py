"""Wake-ups without news: nothing that anybody waits for has changed before them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import libcst as cst

from conclint.knowledge.locks import NOTIFYING
from conclint.program.stalls import of_lifecycle
from conclint.program.values import Store, function_id
from conclint.source.conditions import condition_calls, has_limit, in_loop, parts_of
from conclint.source.lockuse import LockCall, body_nodes
from conclint.source.paths import path_of
from conclint.source.questions import TELLING
from conclint.source.source import Source

# Who is called so only passes on that something has changed, or wakes somebody on purpose.
POKES = re.compile(
    r"wake|notify|poke|kick|signal|interrupt|broadcast|alert|nudge|ping|trigger|resume|changed|update|^on_"
)

# Calls that change nothing that anybody waits for.
QUIET = frozenset({"len", "str", "repr", "isinstance", "print", "acquire", "release", "sleep", "time", "monotonic"})

# `ready`, `self.ready`, `not self._items`, `len(self.items) < 3`: nothing that code outside could decide.
PLAIN = re.compile(r"^(?:not |len\()*([A-Za-z_][\w.]*)\)?(?:\s*(?:[=!<>]=?|is|is not|in|not in)\s*[\w.\"'-]+)?$")


class Naked(NamedTuple):
    """A wake-up; `late`: what it is about changes there, afterwards."""

    notified: LockCall
    waited: LockCall
    late: cst.CSTNode | None = None


def naked(source: Source) -> Iterator[Naked]:
    """Wake-ups of those who wait in this file, by functions that have changed nothing before."""
    waits: dict[Store, list[LockCall]] = {}
    for found in condition_calls(source, "wait", "wait_for"):
        store = source.named(found.lock).store
        if store is not None:
            waits.setdefault(store, []).append(found)
    for found in condition_calls(source, *sorted(NOTIFYING)):
        store = source.named(found.lock).store
        function = source.function_node(found.call)
        if store in waits and isinstance(function, cst.FunctionDef) and source.held(found.call):
            yield from _judged(source, found, function, waits[store])


def _judged(source: Source, found: LockCall, function: cst.FunctionDef, waits: list[LockCall]) -> Iterator[Naked]:
    wanted = _wanted(source, waits)
    own = {source.identity(one.call) for one in waits}
    if wanted is None or source.identity(found.call) in own or any(_changes(source, function, found, before=True)):
        return
    later = _changes(source, function, found, before=False)
    late = next((one for one in later if path_of(_target(one)) in wanted), None)
    if late is not None or not _excused(source, function, wanted):
        yield Naked(found, waits[0], late)


def _target(change: cst.CSTNode) -> cst.BaseExpression | None:
    return change.target if isinstance(change, (cst.AssignTarget, cst.AugAssign)) else None


def _excused(source: Source, function: cst.FunctionDef, wanted: set[str]) -> bool:
    """Whether a caller may have changed what is waited for, or nothing needs to have changed."""
    identity = function_id(source.path, source.qualname_of(function))
    if identity in source.scene.prepared or of_lifecycle(identity) or function.name.value.startswith("_"):
        return True
    return bool(POKES.search(function.name.value)) and (not wanted or any(_is_set(source, one) for one in wanted))


def _is_set(source: Source, path: str) -> bool:
    """Whether the file gives it a value anywhere but where it is made."""
    name = re.escape(path.rpartition(".")[2])
    changes = rf"\b{name}(?:\[[^]\n]*\])?\s*(?:[-+|&^]?=(?!=)|\.\w+\()"
    return len(re.findall(changes, source.text.text)) > 1


def _wanted(source: Source, waits: Iterable[LockCall]) -> set[str] | None:
    """What the waiters wait for, as paths; None where that is more than variables."""
    found: set[str] = set()
    for waited in waits:
        test = _test(source, waited)
        if test is None and (in_loop(source, waited.call) or has_limit(source, waited)):
            return None  # it looks for itself, or sleeps
        if test is not None and _asks_others(test):
            return None
        for part in parts_of(source, test):
            plain = PLAIN.match(part)
            if plain is None:
                return None
            found.add(plain[1])
    return found


def _test(source: Source, waited: LockCall) -> cst.BaseExpression | None:
    """What the waiter asks before it waits, and each time it is woken."""
    if waited.method == "wait_for":
        predicate = source.argument(waited.call, "predicate", 0)
        value = predicate.value if predicate is not None else None
        return value.body if isinstance(value, cst.Lambda) else value
    child: cst.CSTNode = waited.call
    outer: cst.CSTNode | None = None
    for outer in source.ancestors(waited.call):
        if isinstance(outer, (cst.While, cst.FunctionDef)) or (isinstance(outer, cst.If) and outer.body is child):
            break
        child = outer
    if not isinstance(outer, (cst.If, cst.While)) or path_of(outer.test) == "True":
        return None
    return None if isinstance(outer.test, cst.Integer) else outer.test


def _asks_others(test: cst.BaseExpression) -> bool:
    calls = (part for part in body_nodes(test) if isinstance(part, cst.Call))
    return any(path_of(call.func) not in ("len", "bool") for call in calls)


def _changes(source: Source, function: cst.FunctionDef, found: LockCall, *, before: bool) -> Iterator[cst.CSTNode]:
    """What may change something: in front of the wake-up or with it under the lock, or behind both."""
    block = source.nearest(found.call, cst.With)
    inside = {id(part) for part in body_nodes(block)} if block is not None else set()
    here = source.sequence(found.call)
    for part in body_nodes(function.body):
        if part is not found.call and _may_change(part):
            earlier = id(part) in inside or source.sequence(part) < here or block is None
            if earlier is before:
                yield part


def _may_change(part: cst.CSTNode) -> bool:
    if isinstance(part, cst.Call):
        path = path_of(part.func)
        last = path.rpartition(".")[2]
        return last not in QUIET and last not in NOTIFYING and not TELLING.search(path)
    return isinstance(part, (cst.AssignTarget, cst.AnnAssign, cst.AugAssign, cst.Del, cst.Await, cst.Yield))
