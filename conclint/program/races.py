"""Races: two accesses to one piece of state that can happen at once, with no lock common to both.

An access that only reads, or writes in one step, is no defect by itself: the race is reported at the access that acts
in several steps, with the access that can come between them as its other side.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from conclint.knowledge.kinds import Context
from conclint.knowledge.webservers import SERVED
from conclint.model import Place
from conclint.program.conflicts import REMOVING, conflict
from conclint.program.contexts import Run, evidence, steps
from conclint.program.doubts import Doubts
from conclint.program.entry import Entry
from conclint.program.guards import ANY_LOCK, Guards
from conclint.program.homes import Home
from conclint.program.linking import Program
from conclint.program.observations import (
    EMPTIED,
    ITEM_WALKED,
    SOFT,
    SPENT,
    STATISTICS,
    TOLD,
    UPDATES,
    Access,
    Act,
    Observations,
)
from conclint.program.onestart import alternatives, same_start
from conclint.program.order import HappensBefore
from conclint.program.promise import Promise
from conclint.program.spawns import Root
from conclint.program.swaps import failing
from conclint.program.testfiles import is_test, only_tests
from conclint.program.values import Reach, Store, split_id
from conclint.program.whose import of_its_call, of_one_call, personal, takes_own, variable_of, within_reach

# Callers of callers are asked so far.
DEEPEST = 4

# So many calls away from a thread's start it is most likely something else that is called on the way.
FAR = 3

# What is called so is called for each kind of thing once, mostly where that is defined.
REGISTERING = re.compile(r"add_|register|remove_|unregister")

# What is called so makes things ready.
PREPARING = re.compile(r"(?:^|[._])(?:init|set_?up|load|configure|start)[^.]*$")


class Moment(NamedTuple):
    """An access in one of the ways in which it can happen: in a thread (`run`) or in main (None).

    `homes` are the objects whose state it may be; none where the state is not an object's.
    """

    access: Access
    run: Run | None
    held: frozenset[str]
    homes: tuple[Home, ...]

    @property
    def is_direct(self) -> bool:
        """Whether the thread comes here straight from its start: at the first call, or without leaving the file."""
        calls = evidence(self.run)[1:] if self.run is not None else ()
        return len(calls) <= 1 or all(note.place.path == self.access.place.path for note in calls)


class Race(NamedTuple):
    """`moment`'s access acts in several steps; `other` can come between: another access, or the same one run twice."""

    store: Store
    moment: Moment
    other: Moment
    promise: Promise | None = None  # where the program starts no thread, but its author means several to come
    guessed: bool = False  # nobody knows which thread does what is taken to be main's

    @property
    def weak(self) -> bool:
        """Whether it is only said to those who ask: weak evidence, or an act that may do no harm twice."""
        if any(steps(one.run) > FAR for one in (self.moment, self.other)):
            return True
        handed = any(one.run is not None and one.run.root.handed for one in (self.moment, self.other))
        indirect = not (self.moment.is_direct and self.other.is_direct)
        counted = self.moment.access.act in UPDATES and STATISTICS.search(self.moment.access.text) is not None
        far = indirect and (handed or (counted and None in (self.moment.run, self.other.run)))
        promised = self.promise is not None and not self.promise.firm
        return far or promised or self.guessed or self.is_set_up or self.moment.access.operation in SOFT

    @property
    def is_set_up(self) -> bool:
        """Whether main most likely does its part before the server asks for anything, and takes nothing out."""
        run, other = self.moment.run, self.other.access
        served = self.other.run is None and run is not None and run.root.how.startswith(SERVED)
        return served and (other.operation not in REMOVING or PREPARING.search(split_id(other.function)[1]) is not None)

    @property
    def by_lock(self) -> bool:
        """Whether it empties a container, and only the lock that guards it elsewhere shows that others come."""
        return self.promise is not None and self.moment.access.operation in (EMPTIED, SPENT)


class Races:
    """Finds the races of one program."""

    def __init__(self, program: Program, observations: Mapping[str, Observations]) -> None:
        self._program = program
        self.guards = Guards(program, observations)
        self.entry = Entry(program, observations, self.guards)
        self._order = HappensBefore(program, self.entry)
        self._doubts = Doubts(program)
        self._endings: dict[int, bool] = {}
        self._by_store: dict[tuple[Store, bool], list[Access]] = {}
        for path in sorted(observations):
            for access in observations[path].accesses:
                if access.store in program.declared.left_alone:
                    continue
                idle = access.act is Act.READ and access.operation not in TOLD
                shared = access.store in program.shared or access.store in program.looked_at
                if idle or not shared or program.is_per_thread(access.store):
                    continue  # one step, and it spoils nobody else's; or only meant to be shared
                self._by_store.setdefault((access.store, access.through_class), []).append(access)

    def all(self) -> Iterator[Race]:
        """At most one race for each access, in the order of the program's state.

        Of several places that create one thing the first is enough.
        """
        for (store, _), accesses in self._by_store.items():
            moments = [
                one
                for access in failing(self._program, store, accesses)
                for one in sorted(self.moments(access), key=lambda one: steps(one.run))
            ]
            others = sorted(moments, key=lambda one: one.run is None)
            seen: set[Place | Act] = set()
            doubtful: dict[Place | Act, Race] = {}
            for moment in moments:
                access = moment.access
                told: Place | Act = access.act if access.act is Act.LAZY_INIT else access.place
                race = self._race(store, moment, others) if told not in seen else None
                if race is not None and self._doubts.about(race.moment, race.other):
                    doubtful.setdefault(told, race._replace(guessed=True))
                elif race is not None:
                    seen.add(told)
                    yield race
            yield from (race for told, race in doubtful.items() if told not in seen)

    # -- when it happens

    def moments(self, access: Access) -> Iterator[Moment]:
        """The ways in which it can happen to something that others can have."""
        if access.constructing or not within_reach(access):
            return
        if self.entry.validates(access.function) or (personal(access) and self.entry.only_constructs(access.function)):
            return
        held = self.guards.held(access.held) | self.entry.held(access.function, personal=personal(access))
        for run in self._program.contexts.runs(access.function, access.place.span.line):
            reachable = run.shared and not self._ends(run.root) if personal(access) else not self._own(access, run)
            if run.context is Context.THREAD and reachable:
                on_the_way = self.entry.along(run, personal=personal(access))
                yield Moment(access, run, held | on_the_way, self._homes(access, run))
        if self._program.contexts.is_main(access.function) and not self._is_elsewhere(access):
            yield Moment(access, None, held, self._homes(access, None))

    def _ends(self, root: Root) -> bool:
        """Whether only finalizers start it: nobody else has their object any more."""
        known = self._endings.get(root.number)
        if known is None:
            known = self._endings[root.number] = self._only_finalizers(root.site.caller)
        return known

    def _only_finalizers(self, identity: str) -> bool:
        seen, level = {identity}, [identity]
        for _ in range(DEEPEST):
            above: list[str] = []
            for one in level:
                if split_id(one)[1].rpartition(".")[2] == "__del__":
                    continue
                callers = [site.caller for site in self._program.calls.callers(one)]
                if not callers and not self._finalizes(one):
                    return False
                above += [caller for caller in dict.fromkeys(callers) if caller not in seen]
                seen.update(callers)
            level = above
        return not level

    def _finalizes(self, identity: str) -> bool:
        return any(run.context is Context.FINALIZER for run in self._program.contexts.runs(identity))

    def _own(self, access: Access, run: Run) -> bool:
        """Whether the object is in a variable of a call that the thread itself makes, and comes from nowhere else."""
        holder = access.holder
        if holder is None or holder.sort != "local":
            return False
        if any(one.reach is Reach.SHARED for one in self._program.names.passed.get((holder.owner, holder.path), ())):
            return False
        here: Run | None = run
        while here is not None:
            if here.site is not None and here.site.caller == holder.owner:
                return True
            here = here.via
        return run.root.target == holder.owner

    def _called_by_nobody(self, identity: str) -> bool:
        """A private method that no call leads to but those of tests.

        Some table or callback holds it, and nobody knows in which thread.
        """
        home, qualname = split_id(identity)
        name = qualname.rpartition(".")[2].partition("#")[0]
        hidden = name.startswith("_") and not name.endswith("__")
        return hidden and all(only_tests(home, site.file.path) for site in self._program.calls.callers(identity))

    def _is_elsewhere(self, access: Access) -> bool:
        """Whether main is there in a forked child only, or to register something while modules are imported."""
        identity = access.function
        for_all = access.through_class or access.store.sort == "global"
        if for_all and REGISTERING.match(split_id(identity)[1].rpartition(".")[2]):
            callers = self._program.calls.callers(identity) or self._program.calls.callers(_opposite(identity))
            return any(not split_id(site.caller)[1] for site in callers)
        return self._called_by_nobody(identity) or self._only_in_children(identity, DEEPEST)

    def _only_in_children(self, identity: str, depth: int) -> bool:
        """Whether it only ever runs right after a fork, when the child has one thread."""
        if identity in self._program.in_children:
            return True
        callers = {site.caller for site in self._program.calls.callers(identity)} if depth else set()
        return bool(callers) and all(self._only_in_children(one, depth - 1) for one in callers)

    def _homes(self, access: Access, run: Run | None) -> tuple[Home, ...]:
        if access.store.sort != "attribute" or access.through_class:
            return ()
        contexts = self._program.contexts
        key = (contexts.homes.key(access.holder),) if access.holder is not None else ()
        if access.reach is not Reach.SELF:
            return (key,)
        own = [run.home] if run is not None else sorted(contexts.homes.main(access.function, contexts.is_main))
        return tuple((*home, *key) for home in own)

    # -- who meets whom

    def _race(self, store: Store, moment: Moment, others: Iterable[Moment]) -> Race | None:
        """With the first of the others, rather than with the same access once more, or with what was done before."""
        act = moment.access.act
        walks = act is Act.ITERATE or moment.access.operation == ITEM_WALKED
        if not (act.reads_first or walks or act is Act.UNSTEADY):
            return None
        meet = (other for other in others if conflict(moment.access, other.access) and self.meet(moment, other))
        found: Race | None = None
        for race in (Race(store, moment, other) for other in meet):
            if race.other.access.place != moment.access.place and not race.is_set_up:
                return race
            found = found or race
        return found

    def meet(self, moment: Moment, other: Moment) -> bool:
        """Whether the other one can come between, and it is the first one's fault."""
        if _blames(moment, other) or _common(moment.held, other.held):
            return False
        if of_its_call(moment.access, moment.run) and of_its_call(other.access, other.run):
            return False
        return self._at_once(moment, other) and _fair(moment, other)

    def _same_object(self, one: Moment, other: Moment) -> bool:
        if not one.homes or not other.homes:
            return True
        meet = self._program.contexts.homes.meet
        return any(
            meet(home, away) and self._runs_for(one, away) and self._runs_for(other, home)
            for home in one.homes
            for away in other.homes
        )

    def _runs_for(self, moment: Moment, home: Home) -> bool:
        """Whether the method runs for that object, rather than another one that its class has in its place."""
        access, calls = moment.access, self._program.calls
        if moment.run is not None or not personal(access) or access.holder is not None:
            return True
        classes = self._program.contexts.homes.classes(home)
        name = access.function.rpartition(".")[2].partition("#")[0]
        return not classes or any(calls.method(cls, name) in ("", access.function) for cls in classes)

    def _at_once(self, one: Moment, other: Moment) -> bool:
        runs = [moment.run for moment in (one, other) if moment.run is not None and one.access.act is Act.LAZY_INIT]
        made = any(self._order.made_before(one.access.function, run.root) for run in runs)
        if made or not self._same_object(one, other):
            return False
        if one.run is not None and other.run is not None:
            return self._in_threads(one, one.run, other, other.run)
        run, main = (one.run, other) if one.run is not None else (other.run, one)
        return run is not None and not self._order.ordered(main.access.point, run.root)

    def _in_threads(self, one: Moment, run: Run, other: Moment, away: Run) -> bool:
        maker = variable_of(one.access, one.homes)
        if same_start(self.entry, run.root, away.root):
            own = all(personal(side.access) or takes_own(side.access) for side in (one, other))
            apart = bool(maker) and of_one_call(run, maker, self._program.options.knowledge.spawners)
            return run.many and not apart and (run.many_each or away.many_each or not own)
        if maker == run.root.site.caller and alternatives(self.entry, run.root, away.root):
            return False  # each call has an object of its own
        for moment, root in ((one, away.root), (other, run.root)):
            if maker and moment.access.function == maker == root.site.caller:
                return not self._order.ordered(moment.access.point, root)
        return not self._order.one_after_the_other(run.root, away.root)


def _opposite(identity: str) -> str:
    """`add_codec` for `remove_codec`."""
    before, dot, name = identity.rpartition(".")
    return before + dot + name.replace("remove_", "add_").replace("unregister", "register")


def _fair(one: Moment, other: Moment) -> bool:
    """Whether it is the program itself, not a test of it, that runs the code in threads, and both sides of it."""
    path = one.access.place.path
    if is_test(path) or only_tests(path, other.access.place.path):
        return False
    return not any(
        moment.run is not None and only_tests(path, moment.run.root.site.file.path) for moment in (one, other)
    )


def _blames(moment: Moment, other: Moment) -> bool:
    """Whether the fault is the other's, which holds no lock, or another one: its author has to say which is meant.

    A loop fails all the same.
    """
    return bool(moment.held) and moment.access.act is not Act.ITERATE and not _common(moment.held, other.held)


def _common(held: frozenset[str], others: frozenset[str]) -> bool:
    return bool(held & others) or ANY_LOCK in held or ANY_LOCK in others
