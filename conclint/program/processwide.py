"""Changes of what the whole process has in common that happen in threads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from conclint.index.facts import CallFact, Use
from conclint.knowledge.kinds import Context, Setting
from conclint.model import Note
from conclint.program.contexts import Run, is_far
from conclint.program.contexts import evidence as trace
from conclint.program.entry import Entry
from conclint.program.guards import Guards
from conclint.program.linking import Program
from conclint.program.observations import Change, Observations
from conclint.program.order import HappensBefore
from conclint.program.spawns import Root
from conclint.program.startsites import one_at_a_time
from conclint.program.testfiles import among_tests, only_tests
from conclint.program.values import split_id

# Whoever asks so takes care himself.
ASKS = "main_thread"

THREADS = frozenset({Context.THREAD})


class Doing(NamedTuple):
    """A change in one of the ways in which it happens in a thread.

    `other`: the run that can do the same meanwhile, which may be this one once more; None for a single worker.
    `guarded`: a lock is held.  `main`: the main thread may do it as well.
    """

    change: Change
    run: Run
    other: Run | None
    guarded: bool
    main: bool

    @property
    def notes(self) -> tuple[Note, ...]:
        return trace(self.run)

    @property
    def far(self) -> bool:
        """Whether it most likely happens before: the way there is long, and only taken under a condition.

        A mask that is set for a moment is no setting up.
        """
        return is_far(self.run) and self.change.setting is not Setting.MASK


def _what(change: Change) -> str:
    """What is one for all: of files and of the many other settings each its own, of the rest all ways to set it."""
    return change.name if change.setting in (Setting.FILE, Setting.OTHER) else change.setting.name


class ProcessWide:
    """Finds the doings of one program."""

    def __init__(self, program: Program, observations: Mapping[str, Observations]) -> None:
        self._program = program
        self._guards = Guards(program, observations)
        self._entry = Entry(program, observations, self._guards)
        self._order = HappensBefore(program, self._entry)
        self._changes = [change for path in sorted(observations) for change in observations[path].changes]

    def doings(self, *settings: Setting, among: frozenset[Context] = THREADS) -> Iterator[Doing]:
        """The first change of each function, in the way that meets another one where there is such a way.

        What follows, the way back first of all, is the same mistake.
        """
        wanted = [change for change in self._changes if change.setting in settings]
        every: dict[str, list[Run]] = {}
        for change in wanted:
            every.setdefault(_what(change), []).extend(self._runs(change, among))
        first = {(change.point.function, change.setting, self._held(change)): change for change in reversed(wanted)}
        for change in sorted(first.values(), key=lambda change: change.place):
            runs = self._runs(change, among)
            # Each file is another one, so that only who comes to the same place can be faster.
            rivals = runs if change.setting is Setting.PRESENCE else every[_what(change)]
            ways = [(run, self._other(run, rivals)) for run in runs]
            if ways:
                run, other = min(ways, key=lambda way: (way[1] is None, is_far(way[0])))
                main = self._program.contexts.is_main(change.point.function)
                yield Doing(change, run, other, self._held(change), main)

    def asked(self, *settings: Setting) -> Iterator[Change]:
        """The first change of each function outside of tests that holds no lock, whoever runs it."""
        seen: set[tuple[str, Setting]] = set()
        for change in sorted(self._changes, key=lambda change: change.place):
            one = (change.point.function, change.setting)
            wanted = change.setting in settings and not among_tests(change.place.path)
            if wanted and not self._held(change) and one not in seen:
                seen.add(one)
                yield change

    def _runs(self, change: Change, among: frozenset[Context]) -> list[Run]:
        """The workers that do it, unless a test says so, or somebody on the way looks which thread it is."""
        path = change.place.path
        if among_tests(path):
            return []
        return [
            run
            for run in self._program.contexts.runs(change.point.function, change.point.line)
            if run.context in among
            and run.root.number not in self._guessed
            and not only_tests(path, run.root.site.file.path)
            and not any(call.func.rpartition(".")[2] == ASKS for call in _on_the_way(run))
        ]

    @cached_property
    def _guessed(self) -> frozenset[int]:
        """Starts of a method of some object of which several unrelated classes are known, each in a file of its own."""
        by_site: dict[tuple[str, int, int], list[Root]] = {}
        for root in self._program.spawns.roots:
            by_site.setdefault((root.site.file.path, root.site.call.line, root.site.call.column), []).append(root)
        return frozenset(
            root.number
            for roots in by_site.values()
            for root in roots
            if root.owner and split_id(root.target)[0] != root.site.file.path and self._has_rival(root, roots)
        )

    def _has_rival(self, root: Root, roots: list[Root]) -> bool:
        mro = self._program.names.classes.mro
        owners = (one.owner for one in roots if one.owner)
        return any(root.owner not in mro(owner) and owner not in mro(root.owner) for owner in owners)

    def _held(self, change: Change) -> bool:
        return bool(self._guards.held(change.held) | self._entry.held(change.point.function, personal=False))

    def _other(self, run: Run, every: list[Run]) -> Run | None:
        if several(run.root):
            return run
        return next((other for other in every if self._at_once(run.root, other.root)), None)

    def _at_once(self, one: Root, other: Root) -> bool:
        return one.number != other.number and not self._order.one_after_the_other(one, other)


def several(root: Root) -> bool:
    """Whether what is started can run several times at once, or beside others of its pool.

    A coroutine that waits for each on the spot starts one after the other.
    """
    if root.site.call.use & Use.AWAITED:
        return False
    return root.many or (root.how.endswith((".submit", ".apply_async")) and not one_at_a_time(root.site))


def _on_the_way(run: Run) -> Iterator[CallFact]:
    """What the functions on the way from the start call."""
    here: Run | None = run
    while here is not None and here.site is not None:
        yield from here.site.function.calls
        here = here.via
