"""Two objects of one class that are locked in both orders: `a.pay(b)` here, `b.pay(a)` there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import NamedTuple

from conclint.index.facts import FunctionFact
from conclint.knowledge.kinds import Context
from conclint.program.arguments import is_bound, spawned
from conclint.program.calls import Site
from conclint.program.contexts import Run
from conclint.program.guards import Guards
from conclint.program.linking import Program
from conclint.program.matching import Given, matched
from conclint.program.observations import Acquire, Observations
from conclint.program.takes import Taken
from conclint.program.values import Store

# Functions that ask which of two objects comes first, most likely to lock that one first.
ORDERING = frozenset({"id", "sorted", "min", "max", "hash"})


class Swapped(NamedTuple):
    """`inner` is taken at `seen` while `outer` is held, of two parameters, which `sites` hand over in both orders."""

    seen: Acquire
    outer: Taken
    inner: Taken
    sites: tuple[Site, Site]
    run: Run


class ObjectOrder:
    """Answers for one program."""

    def __init__(self, program: Program, observations: Mapping[str, Observations]) -> None:
        self._program = program
        self._takes = program.locking.takes
        self._guards = Guards(program, observations)
        self._acquires = [one for path in sorted(observations) for one in observations[path].acquires]

    def swapped(self) -> Iterator[Swapped]:
        """At most one for each function."""
        done: set[str] = set()
        for seen in self._acquires:
            pair = self._pair(seen) if seen.function not in done else None
            run = self._at_once(seen.function) if pair is not None else None
            sites = self._both_ways(seen.function, *map(_head, pair)) if pair is not None and run is not None else None
            if pair is not None and run is not None and sites is not None:
                done.add(seen.function)
                yield Swapped(seen, *pair, sites, run)

    def _pair(self, seen: Acquire) -> tuple[Taken, Taken] | None:
        """The same lock of two parameters, one taken while the other is held, in whichever order they come."""
        _, function = self._program.calls.function(seen.function)
        taken = self._takes.of(seen.function)
        inner = next((one for one in taken if _is_at(one, seen) and one.waits), None)
        if inner is None or not _is_of_parameter(inner, function) or _orders(function):
            return None
        for outer in taken:
            alike = outer.lock == inner.lock and _tail(outer) == _tail(inner) and _head(outer) != _head(inner)
            held = alike and outer.lock in self._guards.held(seen.held) and outer.site.call.line <= inner.site.call.line
            if held and outer is not inner and _is_of_parameter(outer, function):
                return outer, inner
        return None

    def _at_once(self, identity: str) -> Run | None:
        """A run of the function beside which another one is under way."""
        runs = [run for run in self._program.contexts.runs(identity) if run.context is Context.THREAD]
        several = len({run.root.number for run in runs}) > 1 or self._program.contexts.is_main(identity)
        return next((run for run in runs if run.many or several), None)

    # -- who hands them over

    def _both_ways(self, identity: str, one: str, other: str) -> tuple[Site, Site] | None:
        """Two places that hand over the same two objects, the other way round."""
        given = list(self._pairs(identity, one, other))
        for (site, pair), (later, turned) in combinations(given, 2):
            if pair == turned[::-1] and pair[0] != pair[1]:
                return site, later
        return None

    def _pairs(self, identity: str, one: str, other: str) -> Iterator[tuple[Site, tuple[Store, Store]]]:
        """The variables that are handed over under the two names."""
        _, function = self._program.calls.function(identity)
        for site, receiver, given in (*self._calls_of(identity), *self._starts_of(identity)):
            bound = is_bound(function, function.owner) and bool(receiver)
            found = dict(matched(function, given, bound=bound))
            if bound and function.params:
                found[function.params[0].name] = receiver
            first, second = (self._store(site, found.get(name, "")) for name in (one, other))
            if first is not None and second is not None:
                yield site, (first, second)

    def _calls_of(self, identity: str) -> Iterator[tuple[Site, str, Given]]:
        for site in self._program.calls.callers(identity):
            yield site, site.call.func.rpartition(".")[0], Given(site.call.args, site.call.keywords)

    def _starts_of(self, identity: str) -> Iterator[tuple[Site, str, Given]]:
        """`Thread(target=a.pay, args=(b, 9))`."""
        for root in self._program.spawns.roots:
            if root.target == identity:
                name = identity.rpartition(".")[2]
                paths = (*root.site.call.args, *(path for _, path in root.site.call.keywords))
                called = next((path for path in paths if path.rpartition(".")[2] == name), "")
                yield root.site, called.rpartition(".")[0], spawned(root.site)

    def _store(self, site: Site, path: str) -> Store | None:
        """The variable, if it is one object as far as anybody can tell."""
        store = self._program.names.meaning(site.file, site.function, path).store if path else None
        return store if store is not None and "[" not in store.path else None


def _head(taken: Taken) -> str:
    return taken.text.partition(".")[0]


def _tail(taken: Taken) -> str:
    return taken.text.partition(".")[2]


def _is_at(taken: Taken, seen: Acquire) -> bool:
    return taken.text == seen.text and taken.site.call.line == seen.place.span.line


def _is_of_parameter(taken: Taken, function: FunctionFact) -> bool:
    """Whether it belongs to what the function was given, which is not given another name."""
    names = {param.name for param in function.params}
    return _head(taken) in names and all(target != _head(taken) for target, path in function.binds if path[:1] != ":")


def _orders(function: FunctionFact) -> bool:
    """Whether the function may look which of the two comes first."""
    return any(call.func in ORDERING for call in function.calls)
