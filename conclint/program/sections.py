"""What is done while locks are held: the calls under locks that a close look found, with what they lead to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from conclint.index.facts import CallFact
from conclint.knowledge.waiting import Wait
from conclint.model import Note
from conclint.program.calls import Site
from conclint.program.contexts import site_place
from conclint.program.deep import READ, Step
from conclint.program.guards import Guards
from conclint.program.linking import Program
from conclint.program.observations import Critical, Observations
from conclint.program.takes import Taken
from conclint.program.values import split_id


class Under(NamedTuple):
    """A call made while locks are held: `held` tells of each where it was taken."""

    seen: Critical
    site: Site
    held: tuple[Taken, ...]


class Waiting(NamedTuple):
    """A call under locks that waits: the calls that lead to where it does, and that place."""

    under: Under
    wait: Wait
    path: tuple[Step, ...]
    at: Site


class Sections:
    """The calls under locks of one program."""

    def __init__(self, program: Program, observations: Mapping[str, Observations]) -> None:
        self._program = program
        self._guards = Guards(program, observations)
        self._seen = [one for path in sorted(observations) for one in observations[path].criticals]
        self._sites: dict[str, dict[tuple[int, int, str], CallFact]] = {}

    @cached_property
    def calls(self) -> tuple[Under, ...]:
        """Every call that is made while a known lock is held."""
        return tuple(self._unders())

    def _unders(self) -> Iterator[Under]:
        for seen in self._seen:
            line, column = seen.place.span.line, seen.place.span.column
            call = self._facts(seen.function).get((line, column, seen.text))
            if seen.read:
                call = CallFact(seen.text, line, column, (), (), 0, READ)
            if call is not None:
                file, function = self._program.calls.function(seen.function)
                site = Site(file, function, call)
                held = tuple(self._held(seen, site))
                if held:
                    yield Under(seen, site, held)

    def _facts(self, identity: str) -> dict[tuple[int, int, str], CallFact]:
        known = self._sites.get(identity)
        if known is None:
            _, function = self._program.calls.function(identity)
            known = {(call.line, call.column, call.func): call for call in function.calls}
            self._sites[identity] = known
        return known

    def _held(self, seen: Critical, site: Site) -> Iterator[Taken]:
        """The acquisitions of the locks that are held there, in the order in which they were taken."""
        held = self._guards.held(seen.held)
        line = site.call.line
        first: dict[str, Taken] = {}
        for taken in self._program.locking.takes.of(seen.function):
            if taken.lock in held and taken.site.call.line <= line and not _released(taken, line):
                first.setdefault(taken.lock, taken)
        yield from first.values()

    # -- waiting

    @cached_property
    def waiting(self) -> tuple[Waiting, ...]:
        """Every call under locks that waits for something, be it in a function that it calls."""
        return tuple(one for under in self.calls for one in self._waiting(under))

    def _waiting(self, under: Under) -> Iterator[Waiting]:
        waits = self._program.locking.waits
        own = waits.at(under.site)
        if own:
            yield Waiting(under, own, (), under.site)
        for step in self._program.locking.steps.at(under.site):
            found = waits.of(step.callee)
            for wait in Wait:
                if found & wait:
                    path, at = waits.trail(step, wait)
                    yield Waiting(under, wait, (step, *path), at)

    # -- who else wants the lock

    def others(self, lock: str, function: str) -> Iterator[Taken]:
        """Where other functions take the lock."""
        for identity, taken in self._program.locking.takes.by_function.items():
            if identity != function:
                yield from (one for one in taken if one.lock == lock)


def _released(taken: Taken, line: int) -> bool:
    """Whether the lock may have been given back before the line."""
    first = taken.site.call.line
    back = (call.line for call in taken.site.function.calls if call.func == taken.text + ".release")
    return any(first <= one <= line for one in back)


def steps_to(path: tuple[Step, ...]) -> Iterator[Note]:
    """The calls on the way to something, beyond the first."""
    for step in path[1:]:
        name = split_id(step.site.caller)[1]
        yield Note(site_place(step.site), f"`{name}` calls `{step.site.call.func}` here")
