"""Output that several threads or processes write at once, with no lock common to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from conclint.program.contexts import CONCURRENT, Run
from conclint.program.entry import Entry
from conclint.program.guards import Guards
from conclint.program.linking import Program
from conclint.program.observations import Observations, Output
from conclint.program.order import HappensBefore
from conclint.program.testfiles import is_test, only_tests


class Telling(NamedTuple):
    """An output in one of the ways in which it can happen: in a worker (`run`) or in main (None)."""

    output: Output
    run: Run | None
    held: frozenset[str]


class Mix(NamedTuple):
    """What `one` writes can mix with what the `other` writes.  They may be the same, run twice."""

    one: Telling
    other: Telling


class Outputs:
    """Finds the outputs of one program that can mix."""

    def __init__(self, program: Program, observations: Mapping[str, Observations]) -> None:
        self._program = program
        self._guards = Guards(program, observations)
        self._entry = Entry(program, observations, self._guards)
        self._order = HappensBefore(program, self._entry)
        found = [one for path in sorted(observations) for one in observations[path].outputs]
        self._tellings = [telling for output in found for telling in self._ways(output)]

    def mixing(self) -> Iterator[Mix]:
        """At most one for each output."""
        seen = set()
        for one in self._tellings:
            if one.run is None or one.output.place in seen or self._only_tested(one, one.run):
                continue
            other = next((other for other in self._tellings if self._mix(one, one.run, other)), None)
            if other is not None:
                seen.add(one.output.place)
                yield Mix(one, other)

    def _ways(self, output: Output) -> Iterator[Telling]:
        function = output.point.function
        held = self._guards.held(output.held) | self._entry.held(function, personal=False)
        for run in self._program.contexts.runs(function):
            if run.context in CONCURRENT:
                yield Telling(output, run, held | self._entry.along(run, personal=False))
        if self._program.contexts.is_main(function):
            yield Telling(output, None, held)

    @staticmethod
    def _only_tested(one: Telling, run: Run) -> bool:
        """Whether a test says it, or only a test runs it in threads."""
        path = one.output.place.path
        return is_test(path) or only_tests(path, run.root.site.file.path)

    def _mix(self, one: Telling, run: Run, other: Telling) -> bool:
        if one.held or one.output.stream != other.output.stream:
            return False  # the other one is to blame, if it does not hold the same lock
        if other.run is None:
            # Main's other output may be far away in time; only the starter's own stands beside the worker's.
            point = other.output.point
            beside = point.function == run.root.site.caller
            # A service waits before it speaks: one line right after its start does not meet it.
            once = point.line == point.until and self._program.services.serves(run.root.target)
            return beside and not once and not self._order.ordered(point, run.root)
        if other.run.root.number == run.root.number:
            return run.many
        together = other.run.root.site.caller == run.root.site.caller
        return together and not self._order.one_after_the_other(run.root, other.run.root)
