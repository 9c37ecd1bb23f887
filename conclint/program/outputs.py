"""Output that several threads or processes write at once, with no lock common to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from conclint.index.facts import Use
from conclint.knowledge.handles import LAST_METHODS
from conclint.knowledge.starting import ONE_EACH
from conclint.program.calls import Site
from conclint.program.contexts import CONCURRENT, Run
from conclint.program.entry import Entry
from conclint.program.guards import Guards
from conclint.program.linking import Program
from conclint.program.observations import Observations, Output
from conclint.program.order import HappensBefore
from conclint.program.spawns import Root
from conclint.program.testfiles import among_tests, is_test, only_tests
from conclint.program.values import split_id


class Telling(NamedTuple):
    """An output in one of the ways in which it can happen: in a worker (`run`) or in main (None)."""

    output: Output
    run: Run | None
    held: frozenset[str]


class Mix(NamedTuple):
    """What `one` writes can mix with what the `other` writes.  They may be the same, run twice.

    `sure`: the program shows that both go on at the same time, and neither has but one thing to say.
    """

    one: Telling
    other: Telling
    sure: bool = True


class Outputs:
    """Finds the outputs of one program that can mix."""

    def __init__(self, program: Program, observations: Mapping[str, Observations]) -> None:
        self._program = program
        self._guards = Guards(program, observations)
        self._entry = Entry(program, observations, self._guards)
        self._order = HappensBefore(program, self._entry)
        self._known: dict[int, bool] = {}
        found = [one for path in sorted(observations) for one in observations[path].outputs]
        self._tellings = [telling for output in found for telling in self._ways(output)]

    def mixing(self) -> Iterator[Mix]:
        """At most one for each output."""
        seen = set()
        for one in self._tellings:
            if one.run is None or one.output.place in seen or self._only_tested(one, one.run):
                continue
            found: Mix | None = None
            for other in self._tellings:
                mix = self._mix(one, one.run, other)
                found = mix if mix is not None and (found is None or mix.sure) else found
                if found is not None and found.sure:
                    break
            if found is not None:
                seen.add(one.output.place)
                yield found

    def _ways(self, output: Output) -> Iterator[Telling]:
        function = output.point.function
        held = self._guards.held(output.held) | self._entry.held(function, personal=False)
        for run in self._program.contexts.runs(function, output.point.line):
            if run.context in CONCURRENT:
                yield Telling(output, run, held | self._entry.along(run, personal=False))
        if self._program.contexts.is_main(function):
            yield Telling(output, None, held)

    @staticmethod
    def _only_tested(one: Telling, run: Run) -> bool:
        """Whether a test says it, or only a test runs it in threads."""
        path = one.output.place.path
        return is_test(path) or only_tests(path, run.root.site.file.path)

    def _mix(self, one: Telling, run: Run, other: Telling) -> Mix | None:
        if one.held or one.output.stream != other.output.stream:
            return None  # the other one is to blame, if it does not hold the same lock
        if other.run is None:
            return self._with_main(one, run, other)
        here, there = run.root, other.run.root
        if here.site == there.site:  # one of several targets each time
            return Mix(one, other, self._several(here)) if run.many else None
        if here.site.caller != there.site.caller or self._order.one_after_the_other(here, there):
            return None
        uses = (here.site.call.use, there.site.call.use)
        either = all(use & Use.BRANCH and not use & Use.GUARDED for use in uses)  # the one or the other
        return Mix(one, other, not either)

    def _with_main(self, one: Telling, run: Run, other: Telling) -> Mix | None:
        """Main's other output may be far away in time; only the starter's own stands beside the worker's."""
        point = other.output.point
        if point.function != run.root.site.caller:
            return None
        once = not other.output.again
        if once and self._program.services.serves(run.root.target):
            return None  # a service waits before it speaks: one line right after its start does not meet it
        if self._order.ordered(point, run.root):
            return None
        return Mix(one, other, not once and _repeats(one, run))

    def _several(self, root: Root) -> bool:
        """Whether several of them are seen to be started one beside the other: in a loop, of many items, or by name."""
        known = self._known.get(root.number)
        if known is None:
            known = self._known[root.number] = self._starts_several(root)
        return known

    def _starts_several(self, root: Root) -> bool:
        site, calls = root.site, self._program.calls
        if site.call.use & Use.LOOP or root.how.rpartition(".")[2] not in ONE_EACH:
            return True
        sites = self._made(root) or [site]
        if len({(one.caller, one.call.line) for one in sites}) > len({one.caller for one in sites}):
            return True
        return any(_again(one, caller) for one in sites for caller in calls.callers(one.caller))

    def _made(self, root: Root) -> list[Site]:
        """Where threads of its class are made, if it is one of a class."""
        name = root.owner.rpartition(":")[2].rpartition(".")[2]
        if not name or root.site.call.func.rpartition(".")[2] != name:
            return []
        found = self._program.calls.calls_named(name)
        return [one for one in found if any(v.name == root.owner for v in self._program.calls.meaning(one).values)]


def _again(site: Site, caller: Site) -> bool:
    """Whether the caller starts it for each of several; a `while` loop tries again, or waits for an event."""
    use = caller.call.use
    in_turn = use & Use.AWAITED and site.call.use & Use.AWAITED
    return bool(use & Use.LOOP) and not use & Use.WHILE and not in_turn and not among_tests(caller.file.path)


def _repeats(one: Telling, run: Run) -> bool:
    """Whether the worker says it again and again, and not when it ends."""
    if split_id(one.output.point.function)[1].rpartition(".")[2] in LAST_METHODS:
        return False
    way: Run | None = run
    while way is not None:
        if way.site is not None and way.site.call.use & Use.LOOP:
            return True
        way = way.via
    return one.output.again
