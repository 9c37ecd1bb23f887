"""Races that need no thread of the program's own: two accesses to state that its author means several threads to reach.

Whoever owns the state says so (`promise`), so every two of its methods, and every method and itself, can run at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from conclint.index.facts import FunctionFact, Kind, Use
from conclint.knowledge.kinds import Context
from conclint.knowledge.lifecycle import ENTERED, LIFE
from conclint.program.aside import loads
from conclint.program.conflicts import REMOVING, conflict
from conclint.program.guards import ANY_LOCK
from conclint.program.linking import Program
from conclint.program.names import PROPERTIES
from conclint.program.narrow import Narrow
from conclint.program.observations import (
    ITEM_CHANGED,
    ITEM_WALKED,
    STATISTICS,
    TOLD,
    UPDATES,
    Access,
    Act,
    Observations,
)
from conclint.program.onlyone import OnlyOne
from conclint.program.promise import Promise
from conclint.program.races import Moment, Race, Races
from conclint.program.swaps import failing
from conclint.program.testfiles import among_tests
from conclint.program.values import Store, function_id, split_id
from conclint.program.whose import personal, within_reach

# Methods that the owner calls, or that only look.
ASIDE = LIFE | ENTERED | {"tearDown", "clear", "acquire", "release", "__repr__", "__copy__", "__getstate__"}

# A lock that is taken there says little of the rest of the object's life.
ENDING = re.compile(r"clean|clos|stop|shut|clear|reset|tear|dispos|disconnect|terminat|__", re.IGNORECASE)

# Callers of callers are followed so far.
DEEPEST = 4


class Promised:
    """Finds those races of one program that no thread of its own shows; `known` are the places of the others."""

    def __init__(self, program: Program, observations: Mapping[str, Observations], races: Races) -> None:
        self._program = program
        self._observations = observations
        self._guards, self._entry = races.guards, races.entry
        self._narrow = Narrow(program, observations, races.guards)
        self._at_import: dict[str, bool] = {}
        self._weakly: set[Store] = set()

    def all(self, known: Sequence[Race]) -> Iterator[Race]:
        """At most one race for each access, in the order of the program's state; none that is shown, unless weakly."""
        seen = {race.moment.access.place for race in known if not race.weak}
        self._weakly = {race.store for race in known if race.weak}
        for (store, _), accesses in self._by_store.items():
            promise = self._promise(store)
            some = failing(self._program, store, accesses) if promise else ()
            moments = [self._moment(access) for access in some if promise and self._counts(access, promise)]
            found = (self._race(store, one, moments, promise) for one in moments if _in_steps(one.access, promise))
            created = False
            for race in found:
                if race is not None and race.moment.access.place not in seen:
                    seen.add(race.moment.access.place)
                    lazy = race.moment.access.act is Act.LAZY_INIT
                    if not (lazy and created):
                        yield race  # of several places that create one thing the first is enough
                    created = created or lazy

    def _promise(self, store: Store) -> Promise | None:
        """Where threads of the program's own reach the state, what they do says more than a weak promise."""
        promise = self._program.promises.of(store) if store not in self._program.declared.left_alone else None
        outshone = store.sort != "attribute" and store not in self._weakly
        weaker = promise is not None and (not promise.firm or outshone)
        firm = promise is not None and promise.firm and not promise.sworn
        # Without the GIL what is one for all needs no lock to tell that all come there.
        if firm and not self._program.options.free_threaded and self._narrow.leaves_out(store):
            return None
        return None if weaker and store in self._program.shared else promise

    @cached_property
    def _by_store(self) -> dict[tuple[Store, bool], list[Access]]:
        found: dict[tuple[Store, bool], list[Access]] = {}
        for path in sorted(self._observations):
            for access in self._observations[path].accesses:
                counts = access.act is not Act.READ or access.operation in TOLD
                if counts and not self._program.is_per_thread(access.store):
                    found.setdefault((access.store, access.through_class), []).append(access)
        return found

    def _counts(self, access: Access, promise: Promise) -> bool:
        """Whether it happens when others can have the state already, and not in a test."""
        of_objects = promise.firm and access.store.sort == "attribute"
        if not of_objects and not _made_once(access) and access.place.path in self._threaded:
            return False  # where threads are started it shows who comes here
        promises = self._program.promises
        of_object = personal(access) and (promise.firm or access.store not in promises.everybodys)
        if of_object and not promises.meant(access.function, firmly=promise.firm):
            return False
        if access.constructing or not within_reach(access) or among_tests(access.place.path):
            return False
        hidden = _name(access.function).startswith("_")  # what is not, its users may call
        if personal(access) and hidden and self._entry.only_constructs(access.function):
            return False
        _, function = self._program.calls.function(access.function)
        return not (function.kind & Kind.ASYNC or _in_callers_lock(function) or self._only_at_import(access.function))

    def _moment(self, access: Access) -> Moment:
        held = self._guards.held(access.held) | self._entry.held(access.function, personal=personal(access))
        return Moment(access, None, held, ())

    def _race(self, store: Store, moment: Moment, others: Sequence[Moment], promise: Promise | None) -> Race | None:
        one_for_all = moment.access.through_class or moment.access.store.sort == "global"
        if moment.held and not (moment.access.act is Act.ITERATE and ANY_LOCK not in moment.held):
            return None  # the fault is the other's
        # A lock on each side, and not the same one: most likely one is made of the other in a way nobody sees.
        meets = [other for other in others if _meet(moment, other) and not (moment.held and other.held)]
        if not meets or promise is None:
            return None
        other = next((one for one in meets if one.access.place != moment.access.place), meets[0])
        firm = promise.firm and not moment.held and self._ordinary(moment.access)
        firm = firm and (promise.sworn or self._guarded(moment, others))
        firm = firm and not self._confined(moment.access.function, other.access.function)
        firm = firm or (not moment.held and self._only_one.is_meant(moment.access))
        walks = promise.firm and bool(moment.held) and one_for_all
        if moment.held and not one_for_all and not (promise.firm and self._fails_under_lock(store, other.access)):
            return None
        firm = firm or (walks and self._fails_under_lock(store, other.access))
        return Race(store, moment, other, replace(promise, firm=firm))

    def _guarded(self, moment: Moment, others: Iterable[Moment]) -> bool:
        """Whether another function changes the same state under a lock: its author knows that others come."""
        own, act = moment.access.function, moment.access.act
        inside = (one.access for one in others if one.held and one.access.function == own)
        if act in UPDATES and any(one.act in UPDATES for one in inside):
            return False  # the same function does it under the lock too: left out on purpose
        if act is Act.ITERATE and not self._is_plain(moment.access.store):
            return False
        return any(
            one.held - {ANY_LOCK} and one.access.function != own and not ENDING.search(_name(one.access.function))
            for one in others
            if (one.access.act in UPDATES if act in UPDATES else _changes(one.access, moment.access))
        )

    def _fails_under_lock(self, store: Store, other: Access) -> bool:
        """Whether a loop that holds the lock fails because of one that does not: anybody may change it any time."""
        return self._is_plain(store) and "fork" not in _name(other.function) and self._ordinary(other)

    def _is_plain(self, store: Store) -> bool:
        """Whether it holds containers that are known to fail when they grow under a loop, and nothing else."""
        values = self._program.names.held(store)
        known = self._program.options.knowledge.mutators
        return bool(values) and all(value.name in known and "weakref" not in value.name for value in values)

    def _ordinary(self, access: Access) -> bool:
        """Whether any thread may do it at any time, as far as one can tell, and it matters.

        Not so: what begins or ends the object's life, private and nested functions that nobody is seen to call,
        generators, properties, whose users are not followed, statistics, which need not be exact, signal handlers,
        which must not wait for a lock, and overrides.
        """
        _, function = self._program.calls.function(access.function)
        nested = function.enclosing and not function.owner
        hidden = (nested or function.name.startswith("_")) and not self._program.calls.callers(access.function)
        life = function.name in ASIDE or loads(function)
        aside = function.kind & Kind.GENERATOR or life or PROPERTIES & {*function.decorators}
        counted = access.act in UPDATES and STATISTICS.search(access.text)
        starts = access.function in self._starting  # before it does, it is alone
        interrupts = any(run.context is Context.SIGNAL for run in self._program.contexts.runs(access.function))
        return not (hidden or aside or counted or starts or interrupts or self._overrides(access.function, function))

    @cached_property
    def _only_one(self) -> OnlyOne:
        return OnlyOne(self._program.calls)

    def _confined(self, *functions: str) -> bool:
        """Whether one dedicated thread runs all of it."""
        contexts = self._program.contexts
        runs = [run for function in functions for run in contexts.runs(function)]
        roots = {run.root.target for run in runs if run.context is Context.THREAD}
        started = all(contexts.runs(function) and not contexts.is_main(function) for function in functions)
        return started and len(roots) == 1 and not any(run.many_each for run in runs)

    @cached_property
    def _starting(self) -> set[str]:
        return {root.site.caller for root in self._program.spawns.roots if root.context is Context.THREAD}

    def _overrides(self, identity: str, function: FunctionFact) -> bool:
        """Whether it replaces a method of a base, whose lock it leaves out then: that is another rule's to say."""
        bases = self._program.names.classes.mro(function_id(split_id(identity)[0], function.owner))[1:]
        return any(":" in base and self._program.calls.method(base, function.name) for base in bases)

    @cached_property
    def _threaded(self) -> set[str]:
        """The files that start threads, or whose functions they begin with."""
        roots = [root for root in self._program.spawns.roots if root.context is Context.THREAD]
        return {path for root in roots for path in (root.site.file.path, split_id(root.target)[0])}

    def _only_at_import(self, function: str, depth: int = DEEPEST) -> bool:
        """Whether only the program's modules themselves run it, while they are imported."""
        known = self._at_import.get(function)
        if known is None:
            self._at_import[function] = False  # a circle is no beginning
            known = self._at_import[function] = self._find_at_import(function, depth)
        return known

    def _find_at_import(self, function: str, depth: int) -> bool:
        if not split_id(function)[1]:
            return True
        callers = [site.caller for site in self._program.calls.callers(function)]
        return bool(callers) and depth > 0 and all(self._only_at_import(one, depth - 1) for one in callers)


def _in_callers_lock(function: FunctionFact) -> bool:
    """Whether it notifies a condition that it does not take: its caller holds it, or it would raise."""
    names = [call.func.rpartition(".")[2] for call in function.calls]
    takes = "acquire" in names or any(call.use & Use.WITH for call in function.calls)
    return not takes and ("notify" in names or "notify_all" in names)


def _name(identity: str) -> str:
    return split_id(identity)[1].rpartition(".")[2]


def _made_once(access: Access) -> bool:
    return access.act in (Act.LAZY_INIT, Act.CHECK_ACT, Act.REPLACE)


def _in_steps(access: Access, promise: Promise | None) -> bool:
    if access.act is Act.CHECK_ACT and access.operation in REMOVING and promise is not None and not promise.firm:
        return False  # emptied at the end, most likely
    walks = access.act is Act.ITERATE or access.operation == ITEM_WALKED
    return access.act.reads_first or walks or access.act is Act.UNSTEADY


def _changes(other: Access, access: Access) -> bool:
    """Whether it changes what the access is about: the container, or an item of it."""
    return other.operation == ITEM_CHANGED if access.operation == ITEM_WALKED else other.act.writes


def _meet(moment: Moment, other: Moment) -> bool:
    common = moment.held & other.held or ANY_LOCK in other.held
    return not common and conflict(moment.access, other.access)
