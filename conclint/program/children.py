"""Where the program starts processes, and how it gets there from the top of a module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from conclint.index.facts import FunctionFact, Use
from conclint.knowledge.lives import EXECUTOR, POOL, PROCESS, STARTS, Stage, moves
from conclint.program.calls import Calls, Site
from conclint.program.handles import Handles
from conclint.program.startmethods import StartMethods
from conclint.program.values import Reach, Sort, split_id

MANAGER = "multiprocessing.Manager"
PROCESSES = "concurrent.futures.ProcessPoolExecutor"

# Callers of callers are followed so far.
DEEPEST = 6


class Start(NamedTuple):
    """A call that starts processes: where, what kind of thing they belong to, and where that is made."""

    site: Site
    kind: str
    made: Site


class Children:
    """All calls of the program that start processes."""

    def __init__(self, calls: Calls, handles: Handles, methods: StartMethods) -> None:
        self._calls = calls
        self._handles = handles
        self._methods = methods

    def starts(self) -> Iterator[Start]:
        """Every one: a process when it is started, a pool or manager when it is made, an executor with its work."""
        derived = self._calls.names.classes.deriving(frozenset({PROCESS}))
        last = {"Process", "Pool", "Manager", "ProcessPoolExecutor"}
        last |= {one.rpartition(":")[2].rpartition(".")[2] for one in derived}
        for file in self._calls.files:
            renamed = {one.name for one in file.header.imports if one.target.rpartition(".")[2] in last}
            for name in sorted((last | renamed) & file.header.called):
                for function, call in self._calls.in_file(file, name):
                    yield from self._started(Site(file, function, call))

    def _started(self, made: Site) -> Iterator[Start]:
        names = self._calls.library_names(made)
        if "multiprocessing.pool.ThreadPool" in names:
            return
        if PROCESS in names:
            for site in self._handles.fate(made).sites(*STARTS):
                yield Start(site, PROCESS, made)
        elif PROCESSES in names:
            for site in self._handles.fate(made).sites(*moves(Stage.WORKS, EXECUTOR)):
                yield Start(site, PROCESSES, made)
        elif names & {POOL, MANAGER}:
            yield Start(made, POOL if POOL in names else MANAGER, made)

    def method(self, start: Start) -> str:
        """How the processes start (see `startmethods`)."""
        return self._methods.of(start.made)

    def on_import(self, start: Start) -> Iterator[tuple[Site, ...]]:
        """The calls that lead from the top level of a module, outside a main guard, to the start; outermost first."""
        seen: set[str] = set()
        ways: list[tuple[Site, ...]] = [(start.site,)]
        while ways:
            way = ways.pop()
            outer = way[0]
            if outer.call.use & Use.GUARDED or len(way) > DEEPEST:
                continue
            if not outer.function.qualname:
                yield way
            elif outer.caller not in seen:
                seen.add(outer.caller)
                callers = self._calls.callers(outer.caller)
                ways += [(site, *way) for site in callers if self._plainly(site, outer.caller)]

    def _plainly(self, site: Site, identity: str) -> bool:
        """Whether the call runs just this function, rather than that of one of several classes that derive from one."""
        targets = self._calls.targets(site.file, site.function, site.call.func)
        return not targets or targets[0].name == identity or targets[0].reach is not Reach.SELF

    def defined_later(self, start: Start) -> FunctionFact | None:
        """A function that a module's pool is given although it is defined below the pool."""
        made = start.made
        if start.kind != POOL or made.function.qualname or self.method(start) not in ("", "fork"):
            return None
        for use in self._handles.fate(made).uses:
            for path in (*use.site.call.args, *(path for _, path in use.site.call.keywords)):
                for value in self._calls.names.meaning(use.site.file, use.site.function, path).values if path else ():
                    home, qualname = split_id(value.name) if value.sort is Sort.FUNCTION else ("", "")
                    function = made.file.function(qualname) if home == made.file.path and "." not in qualname else None
                    if function is not None and function.line > made.call.line:
                        return function
        return None
