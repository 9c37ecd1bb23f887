"""Races: two accesses to one piece of state that can happen at once, with no lock common to both.

An access that only reads, or writes in one step, is no defect by itself: the race is reported at the access that acts in
several steps, with the access that can come between them as its other side.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from conclint.knowledge.kinds import Context
from conclint.program.calls import Site
from conclint.program.contexts import Run
from conclint.program.entry import Entry
from conclint.program.linking import Program
from conclint.program.observations import Access, Act, Observations
from conclint.program.spawns import Root
from conclint.program.values import Reach, Store, split_id

ANY_LOCK = "*"

# Removing or inserting shifts the items under an iterator; appending to a list does not.
SHIFTING = frozenset({"pop", "popleft", "remove", "clear", "insert", "del", "sort", "reverse", "appendleft", "extendleft"})


class Moment(NamedTuple):
    """An access in one of the ways in which it can happen: in a thread (`run`) or in main (None)."""

    access: Access
    run: Run | None
    held: frozenset[str]


class Race(NamedTuple):
    """`moment`'s access acts in several steps; `other` can come between them.  They may be the same access, run twice."""

    store: Store
    moment: Moment
    other: Moment


class Races:
    """Finds the races of one program."""

    def __init__(self, program: Program, observations: Mapping[str, Observations]) -> None:
        self._program = program
        self._entry = Entry(program, observations)
        self._by_store: dict[Store, list[Access]] = {}
        for path in sorted(observations):
            for access in observations[path].accesses:
                self._by_store.setdefault(access.store, []).append(access)

    def all(self) -> Iterator[Race]:
        """At most one race for each access, in the order of the program's state."""
        for store, accesses in self._by_store.items():
            moments = [moment for access in accesses for moment in self._moments(access)]
            seen = set()
            for moment in moments:
                if moment.access.place not in seen:
                    race = self._race(store, moment, moments)
                    if race is not None:
                        seen.add(moment.access.place)
                        yield race

    def _moments(self, access: Access) -> Iterator[Moment]:
        if access.constructing or (access.store.sort == "attribute" and not self._same_object(access)):
            return
        held = frozenset(access.held) | self._entry.held(access.function)
        for run in self._program.contexts.runs(access.function):
            if run.context is Context.THREAD:
                yield Moment(access, run, held)
        if self._program.contexts.is_main(access.function):
            yield Moment(access, None, held)

    @staticmethod
    def _same_object(access: Access) -> bool:
        """Whether the object is one that others can have: `self`, a global, or the class itself."""
        return access.through_class or access.reach in (Reach.SELF, Reach.SHARED)

    def _race(self, store: Store, moment: Moment, moments: Sequence[Moment]) -> Race | None:
        act = moment.access.act
        if not (act.reads_first or act is Act.ITERATE):
            return None
        others = [other for other in moments if _conflict(moment.access, other.access)]
        for other in sorted(others, key=lambda one: (one.access.place == moment.access.place, one.run is None)):
            if self._at_once(moment, other) and not _common(moment.held, other.held):
                return Race(store, moment, other)
        return None

    def _at_once(self, one: Moment, other: Moment) -> bool:
        if one.run is None or other.run is None:
            run = one.run or other.run
            main = one if one.run is None else other
            if run is None or not self._shares(run, main.access if one.run is None else one.access):
                return False
            return not self._ordered(main.access, run.root)
        if one.run.root.number == other.run.root.number:
            return self._several(one.run, one.access)
        return self._shares(one.run, one.access) and self._shares(other.run, other.access)

    @staticmethod
    def _shares(run: Run, access: Access) -> bool:
        """Whether others can reach the object whose state the run touches."""
        personal = access.store.sort == "attribute" and not access.through_class and access.reach is Reach.SELF
        return run.shared if personal else True

    @staticmethod
    def _several(run: Run, access: Access) -> bool:
        """Whether several runs from the same root touch the same state."""
        personal = access.store.sort == "attribute" and not access.through_class and access.reach is Reach.SELF
        return run.shared and run.many_each if personal else run.many

    # -- happens-before

    def _ordered(self, access: Access, root: Root) -> bool:
        """Whether an access of main surely comes before the root's start or after its end."""
        path, qualname = split_id(access.function)
        if not qualname and root.site.caller != access.function:
            return True  # a module's own code runs while it is imported
        if root.site.caller == access.function:
            return self._before_or_after(access.before, access.after, root)
        return self._called_in_order(access.function, root, 3)

    def _called_in_order(self, identity: str, root: Root, depth: int) -> bool:
        """Whether every call of the function in main comes before the start or after the end."""
        callers = [site for site in self._program.calls.callers(identity) if self._program.contexts.is_main(site.caller)]
        return bool(callers) and depth > 0 and all(self._call_ordered(site, root, depth) for site in callers)

    def _call_ordered(self, site: Site, root: Root, depth: int) -> bool:
        if site.caller == root.site.caller:
            at = self._entry.at(site)
            return self._before_or_after(at.before, at.after, root)
        return self._called_in_order(site.caller, root, depth - 1)

    def _before_or_after(self, before: tuple[int, ...], after: tuple[tuple[int, int], ...], root: Root) -> bool:
        fate = self._program.handles.fate(root.site)
        here = root.site.caller
        starts = {site.call.line for site in fate.sites("start") if site.caller == here} or {root.site.call.line}
        ends = {site.call.line for site in fate.sites("join", "shutdown", "result", "wait") if site.caller == here}
        if starts & {*before}:
            return True
        return any(first in ends or first <= root.site.call.line <= last for first, last in after)


def _conflict(access: Access, other: Access) -> bool:
    """Whether the other access, coming between the steps of this one, spoils it."""
    if access.act is Act.ITERATE:
        return other.resizes and (other.operation in SHIFTING or not _keeps_list(other))
    if access.act is Act.LAZY_INIT:
        return other.act in (Act.LAZY_INIT, Act.UPDATE, Act.REPLACE)
    return other.act.writes


def _keeps_list(access: Access) -> bool:
    """Appending and extending: on a list they leave an iterator where it is."""
    return access.operation in ("append", "extend")


def _common(held: frozenset[str], others: frozenset[str]) -> bool:
    return bool(held & others) or ANY_LOCK in held or ANY_LOCK in others
