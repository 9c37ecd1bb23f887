"""Objects that one thread at a time may use, and that several use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from conclint.index.facts import Use
from conclint.knowledge.kinds import Unshared
from conclint.model import Note
from conclint.program.calls import Site
from conclint.program.contexts import Run
from conclint.program.contexts import evidence as trace
from conclint.program.linking import Program
from conclint.program.observations import READS, Observations, Used
from conclint.program.races import Moment, Races
from conclint.program.startsites import one_at_a_time
from conclint.program.testfiles import among_tests, only_tests
from conclint.program.values import Reach, Store, function_id, split_id

FAR = 1000


class Shared(NamedTuple):
    """`one` use of an object can come between the steps of the `other`; `other` is None for a method handed to many."""

    used: Used
    one: Moment | None
    other: Moment | None

    @property
    def notes(self) -> tuple[Note, ...]:
        if self.one is None or self.other is None:
            return ()
        notes = list(trace(self.one.run)) if self.one.run is not None else []
        if self.other.run is None:
            notes.append(Note(self.other.access.place, "meanwhile the main thread uses it here"))
        elif self.one.run is None or self.other.run.root.number != self.one.run.root.number:
            notes += [Note(self.other.access.place, "another thread uses it here"), *trace(self.other.run)]
        return tuple(dict.fromkeys(notes))


class Sharing:
    """Finds the objects of one program that threads share and must not."""

    def __init__(self, program: Program, observations: Mapping[str, Observations], races: Races) -> None:
        self._program = program
        self._races = races
        self._by_key: dict[tuple[Store, bool], list[Used]] = {}
        self._handed: list[Used] = []
        for path in sorted(observations):
            for used in map(self._resolved, observations[path].used):
                if used.handed:
                    self._handed.append(used)
                else:
                    key = used.access.store
                    self._by_key.setdefault((key, used.access.through_class), []).append(used)

    def of(self, *kinds: Unshared) -> Iterator[Shared]:
        """At most one for each object: the first use that meets another one."""
        for used in self.handed(*kinds):
            if not self._in_turn(used):
                yield Shared(used, None, None)
        for uses in self.uses(*kinds):
            found = next(self._meetings(uses), None)
            if found is not None:
                yield found

    def handed(self, *kinds: Unshared) -> Iterator[Used]:
        """Bound methods that threads are given."""
        for used in self._handed:
            if used.kind in kinds and not among_tests(used.access.place.path):
                yield used

    def touches(self, *kinds: Unshared) -> Iterator[tuple[Used, Run]]:
        """For each function the first use in a thread of an object that the thread did not make."""
        seen = set()
        for uses in self.uses(*kinds):
            for used in uses:
                for moment in self._happens(used) if used.access.function not in seen else ():
                    if moment.run is not None and self.is_fair(moment) and not self._made_by(used, moment.run):
                        seen.add(used.access.function)
                        yield used, moment.run
                        break

    def _made_by(self, used: Used, run: Run) -> bool:
        """Whether something that the same thread runs puts the object there, or makes it for itself."""
        given = self._program.names.passed.get((used.access.store.owner, used.access.store.path))
        if self._own(used, run):
            return not given or run.root.target != used.access.store.owner
        store, names, contexts = self.origin(used.access.store), self._program.names, self._program.contexts
        makers = {function_id(file.path, function.qualname) for file, function, _ in names.stores.puts(store)}
        return any(one.root.number == run.root.number for maker in makers for one in contexts.runs(maker))

    def uses(self, *kinds: Unshared) -> Iterator[list[Used]]:
        """The uses of each object."""
        for uses in self._by_key.values():
            wanted = [one for one in uses if one.kind in kinds]
            if wanted:
                yield wanted

    def _meetings(self, uses: list[Used]) -> Iterator[Shared]:
        found = ((used, moment) for used in uses for moment in self.moments(used))
        moments = sorted(found, key=lambda pair: _steps(pair[1].run))
        for used, one in moments:
            for _, other in moments:
                if one.access.operation == other.access.operation == READS:
                    continue
                if (one.run or other.run) and self._apart(used, one, other) and self._races.meet(one, other):
                    yield Shared(used, one, other)

    def moments(self, used: Used) -> Iterator[Moment]:
        """When the use happens to an object that others may have."""
        if self._program.is_per_thread(used.access.store) or not self._is_opened(used):
            return
        for moment in self._happens(used):
            if moment.run is None or not self._own(used, moment.run):
                yield moment

    def _resolved(self, used: Used) -> Used:
        """The use of what a parameter stands for."""
        origin = self.origin(used.access.store)
        if origin == used.access.store:
            return used
        return replace(used, access=replace(used.access, store=origin, reach=Reach.SHARED, holder=None))

    def origin(self, store: Store) -> Store:
        """The variable or attribute itself, for a parameter that it is passed as, or an attribute that keeps that."""
        sort, _, rest = self._program.contexts.homes.key(store).partition("|")
        owner, _, path = rest.rpartition("|")
        found = Store(sort, owner, path) if path else store
        if found.sort == "local" and found != store and self._is_given_its_own(store):
            return store
        return found

    def _is_given_its_own(self, store: Store) -> bool:
        """Whether each thread gets another object for the parameter."""
        passed = self._program.names.passed.get((store.owner, store.path), ())
        return any(one.reach is not Reach.SHARED for one in passed)

    @staticmethod
    def is_fair(moment: Moment) -> bool:
        """Whether it is the program itself, not a test of it, that runs the code in a thread."""
        path = moment.access.place.path
        return not among_tests(path) and not (moment.run and only_tests(path, moment.run.root.site.file.path))

    def _is_opened(self, used: Used) -> bool:
        """Whether a file is opened by the program: of one that is handed in nobody knows what it leads to."""
        puts = self._program.names.stores.puts(self.origin(used.access.store))
        return used.kind is not Unshared.WRITER or any(path.endswith("()") for _, _, path in puts)

    def _in_turn(self, used: Used) -> bool:
        """Whether the pool that is handed the method has one worker."""
        file, function = self._program.calls.function(used.access.function)
        line = used.access.place.span.line
        return any(call.line == line and one_at_a_time(Site(file, function, call)) for call in function.calls)

    # -- variables of functions

    def _own(self, used: Used, run: Run) -> bool:
        """Whether the variable belongs to a call that the thread itself makes."""
        holder = self._holder(used)
        if not holder or holder == used.access.function:
            return bool(holder)
        here: Run | None = run
        while here is not None:
            if here.site is not None and here.site.caller == holder:
                return True
            here = here.via
        return run.root.target == holder

    def _holder(self, used: Used) -> str:
        """The function whose variable it is in the end, or whose `self` a closure has; "" where it is none's."""
        if self._is_captured(used):
            return self._method(used.access.function)
        origin = self.origin(used.access.store)
        return origin.owner if origin.sort == "local" else ""

    def _is_captured(self, used: Used) -> bool:
        """Whether a function inside a method uses an attribute of the method's object."""
        own = used.access.store.sort == "attribute" and used.access.reach is Reach.SELF
        return own and not self._program.calls.function(used.access.function)[1].owner

    def _method(self, identity: str) -> str:
        """The method around a function."""
        path, qualname = split_id(identity)
        functions = self._program.files[path].body.functions
        while qualname and not (qualname in functions and functions[qualname].owner):
            qualname = qualname.rpartition(".")[0]
        return function_id(path, qualname)

    def _happens(self, used: Used) -> Iterator[Moment]:
        access = used.access
        if self._is_captured(used):
            access = replace(access, reach=Reach.SHARED, holder=None)  # whoever starts the function has the object too
        return self._races.moments(access)

    def _apart(self, used: Used, one: Moment, other: Moment) -> bool:
        """Whether two threads can have the same object at once.

        A coroutine that waits for its thread does nothing else with its object meanwhile, and each call of a function
        has its variables anew.
        """
        if _awaited(one) and _awaited(other) and (used.access.store.sort != "global" or _same_root(one, other)):
            return False
        holder = self._holder(used)
        if not holder or one.run is None or other.run is None or one.run.root.number != other.run.root.number:
            return True
        root = one.run.root
        if not self._is_captured(used) and self._is_new_in_each_round(used.access.store):
            return False
        spawner = self._program.options.knowledge.spawners.get(root.how)
        if root.site.caller != holder:
            return True
        return bool(root.site.call.use & Use.LOOP) or (spawner is not None and spawner.many)

    def _is_new_in_each_round(self, store: Store) -> bool:
        """Whether a function's variable gets another object in each round of a loop."""
        origin = self.origin(store)
        _, function = self._program.calls.function(origin.owner)
        made = [call for call in function.calls if origin.path in call.goes]
        if any(target == origin.path and path.endswith("[*]") for target, path in function.binds):
            return True
        return bool(made) and all(call.use & Use.LOOP for call in made)


def _awaited(moment: Moment) -> bool:
    """Whether who started the thread waits for it on the spot, or it is main."""
    return moment.run is None or bool(moment.run.root.site.call.use & Use.AWAITED)


def _steps(run: Run | None) -> int:
    """How many calls lead from a thread's start to it; main comes last."""
    return FAR if run is None else len(trace(run))


def _same_root(one: Moment, other: Moment) -> bool:
    return one.run is not None and other.run is not None and one.run.root.number == other.run.root.number
