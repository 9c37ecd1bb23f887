"""What signal handlers do that they may have interrupted half done."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntFlag
from typing import TYPE_CHECKING, NamedTuple

from conclint.index.facts import FunctionFact
from conclint.knowledge.handlers import ENDING, ENDING_ERRORS, QUEUES, SIGNAL_TABLES
from conclint.knowledge.kinds import Context
from conclint.knowledge.terminals import PRINTING, TERMINALS
from conclint.model import Place, Span
from conclint.program.calls import Site
from conclint.program.contexts import site_place
from conclint.program.deep import Deep, Step
from conclint.program.files import File
from conclint.program.testfiles import is_test
from conclint.program.values import Sort

if TYPE_CHECKING:
    from conclint.program.linking import Program


class Danger(IntFlag):
    """What may be interrupted and then be asked for again."""

    LOCK = 1
    QUEUE = 2
    PRINT = 4


class Handler(NamedTuple):
    """A function that a signal runs, and where it is installed."""

    function: str
    place: Place


class Unsafe(NamedTuple):
    """A handler does something dangerous at `at`, to which `path` leads."""

    handler: Handler
    danger: Danger
    path: tuple[Step, ...]
    at: Site


class Handlers:
    """The signal handlers of one program."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._deep = Deep(program.locking.steps, self._own)

    def unsafe(self) -> Iterator[Unsafe]:
        """The first danger of each kind that each handler meets; each place once."""
        seen = set()
        for handler in self._all():
            for danger in Danger if not is_test(handler.place.path) else ():
                found = self._unsafe(handler, danger)
                if found is not None and found.at not in seen:
                    seen.add(found.at)
                    yield found

    def _all(self) -> Iterator[Handler]:
        for root in self._program.spawns.roots:
            if root.context is Context.SIGNAL:
                yield Handler(root.target, site_place(root.site))
        for file in self._program.files:
            if any(table.partition(".")[0] in file.roots for table in SIGNAL_TABLES):
                for function in file.functions():
                    yield from self._put(file, function)

    def _put(self, file: File, function: FunctionFact) -> Iterator[Handler]:
        """`signals["TERM"] = handler`."""
        names = self._program.names
        for target, path in function.binds:
            if target.endswith("[]") and path:
                table = names.meaning(file, function, target[:-2])
                if any(value.sort is Sort.LIBRARY and value.name in SIGNAL_TABLES for value in table.values):
                    for value in names.meaning(file, function, path).values:
                        if value.sort is Sort.FUNCTION:
                            _, handler = self._program.calls.function(value.name)
                            line = next((line for one, _, line in function.touches if one == target[:-2]), handler.line)
                            yield Handler(value.name, Place(file.path, Span(line, 1, line, 2)))

    def _unsafe(self, handler: Handler, danger: Danger) -> Unsafe | None:
        if not self._deep.of(handler.function) & danger:
            return None
        if danger is Danger.PRINT and self._ends(handler.function):
            return None  # the last words of a program
        path = self._deep.path(handler.function, danger)
        file, function = self._program.calls.function(path[-1].callee if path else handler.function)
        sites = (Site(file, function, call) for call in function.calls)
        return Unsafe(handler, danger, path, next(site for site in sites if self._danger(site) & danger))

    def _ends(self, identity: str) -> bool:
        file, function = self._program.calls.function(identity)
        names = (self._program.calls.library_names(Site(file, function, call)) for call in function.calls)
        raised = {path for path, _, _ in function.touches} | {call.func for call in function.calls}
        return bool(raised & ENDING_ERRORS) or any(one & ENDING for one in names)

    # -- one function

    def _own(self, identity: str) -> int:
        file, function = self._program.calls.function(identity)
        found = 0
        for call in function.calls:
            found |= self._danger(Site(file, function, call))
        return found

    def _danger(self, site: Site) -> int:
        if self._takes_lock(site):
            return Danger.LOCK
        names = self._program.calls.library_names(site)
        if names & QUEUES:
            return Danger.QUEUE
        return Danger.PRINT if names & {*PRINTING} and self._to_terminal(site) else 0

    def _takes_lock(self, site: Site) -> bool:
        """A lock that its holder cannot take again, and that others take."""
        takes = self._program.locking.takes
        for taken in takes.of(site.caller):
            if taken.site == site and taken.waits and takes.identified(taken.lock):
                kind = takes.kind(taken.lock)
                others = (one for one, found in takes.by_function.items() if any(x.lock == taken.lock for x in found))
                return kind is not None and not kind.reentrant and any(one != site.caller for one in others)
        return False

    def _to_terminal(self, site: Site) -> bool:
        stream = dict(site.call.keywords).get("file")
        if stream is None:
            return True
        default = next((param.default for param in site.function.params if param.name == stream), "")
        return bool({stream, default} & TERMINALS)
