"""Globals that keep a thread of the parent's, although the program looks after itself when it is forked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from conclint.index.facts import FunctionFact
from conclint.model import Place
from conclint.program.calls import Calls
from conclint.program.contexts import call_place
from conclint.program.files import File
from conclint.program.pickles import Pickles
from conclint.program.values import Sort, Value

REGISTER = "os.register_at_fork"
THREAD = "threading.Thread"


class Stale(NamedTuple):
    """The globals `names`, which have threads, are bound at `bound`; the handler at `place` leaves them as they are."""

    names: tuple[str, ...]
    place: Place
    bound: tuple[Place, ...]


def stale_globals(calls: Calls, pickles: Pickles) -> Iterator[Stale]:
    """What the handlers for forked children forget."""
    for value in _handlers(calls):
        if not value.owner:
            file, handler = calls.function(value.name)
            if handler.calls:
                yield from _forgotten(calls, pickles, file, handler)


def in_children(calls: Calls) -> frozenset[str]:
    """The functions that forked children call at once."""
    return frozenset(value.name for value in _handlers(calls))


def _handlers(calls: Calls) -> Iterator[Value]:
    for site in calls.calls_named("register_at_fork"):
        if REGISTER in calls.library_names(site):
            for path in (path for word, path in site.call.keywords if word == "after_in_child"):
                for value in calls.names.meaning(site.file, site.function, path).values:
                    if value.sort is Sort.FUNCTION:
                        yield value


def _forgotten(calls: Calls, pickles: Pickles, file: File, handler: FunctionFact) -> Iterator[Stale]:
    known = _mentioned(calls, file, handler)
    found: dict[str, Place] = {}
    for function in file.functions():
        for call in function.calls:
            for name in call.goes:
                ours = name in function.globals and name not in known
                if ours and _has_thread(calls, pickles, file, function, call.func):
                    found.setdefault(name, call_place(file.path, call))
    if found:
        last = max(handler.calls, key=lambda one: (one.line, one.column))
        yield Stale(tuple(found), call_place(file.path, last), tuple(found.values()))


def _has_thread(calls: Calls, pickles: Pickles, file: File, function: FunctionFact, made: str) -> bool:
    """Whether an object of what is called has a thread of its own, or is one."""
    for value in calls.names.meaning(file, function, made).values:
        if value.sort is Sort.LIBRARY and value.name == THREAD:
            return True
        if value.sort is Sort.CLASS and any(one.kind == THREAD for one in pickles.held(value.name)):
            return True
    return False


def _mentioned(calls: Calls, file: File, handler: FunctionFact) -> set[str]:
    """The names that the handler, and what it calls in its file, speaks of."""
    found: set[str] = set()
    functions = [handler]
    for call in handler.calls:
        for value in calls.targets(file, handler, call.func):
            home, function = calls.function(value.name)
            functions += [function] if home.path == file.path else []
    for function in functions:
        found.update(function.globals)
        found.update(path.partition(".")[0] for path, _, _ in function.touches)
        found.update(call.func.partition(".")[0] for call in function.calls)
    return found
