"""Locks taken in several orders: one graph over the program, and its cycles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from conclint.index.facts import Use
from conclint.model import Place
from conclint.program.contexts import Run
from conclint.program.deep import Step
from conclint.program.guards import Guards
from conclint.program.kinship import Kinship
from conclint.program.linking import Program
from conclint.program.observations import Acquire, Observations
from conclint.program.sections import Sections
from conclint.program.takes import Taken
from conclint.program.values import split_id


class Edge(NamedTuple):
    """`inner` is taken while `outer` is held: at `place`, or further on along `path`; `gates` are held as well."""

    outer: Taken
    inner: str
    place: Place
    path: tuple[Step, ...]
    gates: frozenset[str]
    text: str

    @property
    def function(self) -> str:
        return self.outer.site.caller


class Cycle(NamedTuple):
    """Edges that lead round: each takes what the next one holds."""

    edges: tuple[Edge, ...]


class LockOrder:
    """The order graph of one program."""

    def __init__(self, program: Program, observations: Mapping[str, Observations], sections: Sections) -> None:
        self._program = program
        self._locking = program.locking
        self._guards = Guards(program, observations)
        self._acquires = [one for path in sorted(observations) for one in observations[path].acquires]
        self._sections = sections
        self._kinship = Kinship(program)

    def cycles(self) -> Iterator[Cycle]:
        """The shortest cycle through each group of locks that are taken in several orders, and can meet."""
        graph = self._graph()
        for group in _groups(graph):
            edges = self._edges_in(group)
            for one in group:
                found = self._shortest(one, edges)
                if found is not None:
                    yield found
                    break

    # -- the graph

    def _graph(self) -> dict[str, set[str]]:
        """Which locks are taken while which are held; every pair of sets is looked at once."""
        bits: dict[str, int] = {}
        for outer, inner, _, _ in self._nested():
            bits[outer] = bits.get(outer, 0) | self._locking.bit(inner)
        for under in self._sections.calls:
            for step in self._locking.steps.at(under.site):
                taken = self._locking.any.of(step.callee)
                for one in under.held:
                    bits[one.lock] = bits.get(one.lock, 0) | taken
        return {lock: {*self._locking.locks(mask)} - {lock} for lock, mask in bits.items()}

    def _nested(self) -> Iterator[tuple[str, str, Acquire, Taken]]:
        """Locks taken below one another in one function."""
        for seen in self._acquires:
            inner = self._taken(seen)
            if inner is not None and inner.waits and self._locking.takes.identified(inner.lock):
                for outer in self._guards.held(seen.held):
                    if outer != inner.lock:
                        yield outer, inner.lock, seen, inner

    def _taken(self, seen: Acquire) -> Taken | None:
        for taken in self._locking.takes.of(seen.function):
            if taken.text == seen.text and taken.site.call.line == seen.place.span.line:
                return taken
        return None

    def _edges_in(self, group: Sequence[str]) -> dict[str, list[Edge]]:
        """By outer lock: the edges between locks of the group."""
        found: dict[str, list[Edge]] = {lock: [] for lock in group}
        for outer, inner, seen, taken in self._nested():
            held = self._guards.held(seen.held)
            if outer in found and inner in found and inner not in held:
                first = next((one for one in self._locking.takes.of(seen.function) if one.lock == outer), None)
                if first is not None:
                    found[outer].append(Edge(first, inner, seen.place, (), held - {outer}, taken.text))
        for edge in self._through_calls({*group}):
            found[edge.outer.lock].append(edge)
        return found

    def _through_calls(self, group: set[str]) -> Iterator[Edge]:
        wanted = sum(self._locking.bit(lock) for lock in group)
        for under in self._sections.calls:
            held = frozenset(one.lock for one in under.held)
            for outer in (one for one in under.held if one.lock in group):
                for step in self._locking.steps.at(under.site):
                    for inner in self._locking.locks(self._locking.any.of(step.callee) & wanted):
                        if inner not in held:
                            path = self._locking.chain(step, inner, personal=False)
                            gates = held - {outer.lock}
                            if self._is_sure(path, inner):
                                yield Edge(outer, inner, under.seen.place, path, gates, under.seen.text)

    def _is_sure(self, path: tuple[Step, ...], lock: str) -> bool:
        """Whether the calls lead to the lock in any case: a function may leave it alone where it must."""
        last = path[-1].callee
        taken = next(one for one in self._locking.takes.of(last) if one.lock == lock and one.waits)
        sites = (*(step.site for step in path[1:]), taken.site)
        return self._locking.steps.feasible(path) and not any(one.call.use & Use.BRANCH for one in sites)

    # -- cycles

    def _shortest(self, start: str, edges: Mapping[str, Sequence[Edge]]) -> Cycle | None:
        """A shortest cycle from and to the lock whose edges can all be under way at once."""
        paths: list[tuple[Edge, ...]] = [(edge,) for edge in edges[start]]
        for _ in edges:
            for path in paths:
                if path[-1].inner == start and self._meet(path):
                    return Cycle(self._turned(path, edges))
            paths = [(*path, edge) for path in paths for edge in edges[path[-1].inner] if _goes_on(path, edge)][:MOST]
        return None

    @staticmethod
    def _turned(path: tuple[Edge, ...], edges: Mapping[str, Sequence[Edge]]) -> tuple[Edge, ...]:
        """The cycle, begun with the order that is the rarer one; of equals with the later one."""

        def rank(number: int) -> tuple[int, str, int]:
            edge = path[number]
            alike = sum(one.inner == edge.inner for one in edges[edge.outer.lock])
            return -alike, edge.place.path, edge.place.span.line

        first = max(range(len(path)), key=rank)
        return path[first:] + path[:first]

    def _meet(self, path: Sequence[Edge]) -> bool:
        if len(path) == 2 and self._kinship.apart(*path):
            return False
        return len(path) > 1 and all(
            not one.gates & other.gates and self._at_once(one.function, other.function)
            for number, one in enumerate(path)
            for other in path[:number]
        )

    def _at_once(self, one: str, other: str) -> bool:
        """Whether two threads can be in the two functions; a lock promises that its users may be anywhere."""
        contexts = self._program.contexts
        if contexts.is_main(one) or contexts.is_main(other):
            return True
        return any(_differ(run, away) for run in contexts.runs(one) for away in contexts.runs(other))


# So many ways round are followed at once.
MOST = 200


def _differ(run: Run, other: Run) -> bool:
    return run.many or run.root.number != other.root.number


def _goes_on(path: Sequence[Edge], edge: Edge) -> bool:
    """Whether the edge leads to where the path has not been, or back to its beginning."""
    return edge.inner == path[0].outer.lock or all(edge.inner != one.outer.lock for one in path)


def _groups(graph: Mapping[str, Iterable[str]]) -> Iterator[list[str]]:
    """The strongly connected components of at least two locks, in the order of their names (Tarjan's algorithm)."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    open_: list[str] = []
    for root in sorted(graph):
        waiting: list[tuple[str, Iterator[str]]] = []
        if root not in number:
            waiting.append((root, iter(sorted(graph[root]))))
            number[root] = low[root] = len(number)
            open_.append(root)
        while waiting:
            one, rest = waiting[-1]
            inner = next(rest, None)
            if inner is None:
                waiting.pop()
                if waiting:
                    low[waiting[-1][0]] = min(low[waiting[-1][0]], low[one])
                if low[one] == number[one]:
                    group = [open_.pop()]
                    while group[-1] != one:
                        group.append(open_.pop())
                    number.update(dict.fromkeys(group, len(graph) * 2))
                    if len(group) > 1:
                        yield sorted(group)
            elif inner not in number:
                number[inner] = low[inner] = len(number)
                open_.append(inner)
                waiting.append((inner, iter(sorted(graph.get(inner, ())))))
            else:
                low[one] = min(low[one], number[inner])


def name_of(identity: str) -> str:
    """A function as a message names it."""
    return split_id(identity)[1] or "the module"
