"""Threads that an object starts when somebody first needs them: `if not self.is_alive(): self.start()`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from conclint.index.facts import Kind, Use
from conclint.knowledge.kinds import Context
from conclint.knowledge.lifecycle import ENTERED, LIFE
from conclint.knowledge.lives import STARTS
from conclint.model import Place
from conclint.program.calls import Calls, Site
from conclint.program.contexts import site_place
from conclint.program.deeds import CONSTRUCTION
from conclint.program.handles import Handles
from conclint.program.maylock import MayLock
from conclint.program.spawns import Root
from conclint.program.testfiles import among_tests
from conclint.program.values import function_id

# Nobody else calls these either.
OWNERS = LIFE | ENTERED | CONSTRUCTION | {"__call__", "resume", "restart"}


class OnDemand(NamedTuple):
    """Where a method starts its object's thread if it finds none, and where the thread is started then."""

    place: Place
    text: str
    start: Place


class OnDemands:
    """Finds them in one program."""

    def __init__(self, calls: Calls, handles: Handles, roots: Iterable[Root]) -> None:
        self._calls = calls
        self._handles = handles
        self._roots = [root for root in roots if root.context is Context.THREAD]
        self._may_lock = MayLock(calls)

    def all(self) -> Iterator[OnDemand]:
        seen: set[Place] = set()
        for start in self._starts():
            for site in self._calls.callers(start.caller):
                place = site_place(site)
                if place not in seen and self._on_demand(site, start):
                    seen.add(place)
                    yield OnDemand(place, site.call.func, site_place(start))

    def _starts(self) -> Iterator[Site]:
        """Where methods start the threads of their objects."""
        for root in self._roots:
            fate = self._handles.fate(root.site)
            kept = any(store.sort == "attribute" for store in fate.stores)
            for start in fate.sites(*STARTS) or ((root.site,) if root.handed else ()):
                free = kept and start.function.owner and start.function.name not in CONSTRUCTION
                if free and not self._may_lock.function(start.file, start.function):
                    yield start

    def _on_demand(self, site: Site, start: Site) -> bool:
        """`self.start()` alone on its line, on some condition, where anybody may come and no lock is in sight."""
        function = site.function
        wanted = Use.BRANCH | Use.DROPPED
        alone = site.call.use & wanted == wanted and not site.call.use & (Use.LOOP | Use.AWAITED)
        own = site.call.func.startswith("self.") and site.call.func.count(".") == 1 and function.owner
        if not (alone and own) or function.name in OWNERS or function.kind & Kind.ASYNC or site.caller == start.caller:
            return False
        return not among_tests(site.file.path) and not self._in_lock(site)

    def _in_lock(self, site: Site) -> bool:
        """Whether it, or whoever calls it, may hold a lock."""
        if self._may_lock.function(site.file, site.function):
            return True
        callers = self._calls.callers(function_id(site.file.path, site.function.qualname))
        return bool(callers) and all(self._may_lock.function(one.file, one.function) for one in callers)
