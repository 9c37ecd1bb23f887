"""Which lock guards which state, as the accesses themselves tell; and the accesses that leave the lock out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import NamedTuple

from conclint.index.facts import Kind
from conclint.model import Place
from conclint.program.aside import Aside
from conclint.program.conflicts import conflict
from conclint.program.declared import Guard
from conclint.program.entry import Entry
from conclint.program.guards import ANY_LOCK, Guards
from conclint.program.linking import Program
from conclint.program.observations import EMPTIED, SPENT, UPDATES, Access, Act, Observations
from conclint.program.swaps import is_given_up
from conclint.program.values import Reach, Store, function_id, split_id

# What changes a container in its place.
IN_PLACE = frozenset({Act.CHANGE, Act.UNSTEADY, Act.UPDATE_ITEM, Act.CHECK_ACT, Act.COMPOUND})

# So few lines later a lock was left on purpose.
JUST = 25

# Adding at an end disturbs nobody who only takes from it what is there.
ADDING = frozenset({"append", "appendleft", "extend", "extendleft", "add"})
TAKING = frozenset({"pop", "popleft", "popitem", "remove", "discard", "next item"})


class Breach(NamedTuple):
    """An access without `lock`, which the accesses `guarded` hold: on `held` of all `total` lines with the state."""

    access: Access
    lock: Store
    guarded: tuple[Access, ...]
    held: int
    total: int
    declared: Guard | None = None
    single: bool = False  # one step, and those under the lock are single steps too

    @property
    def known(self) -> bool:
        """Whether the same function counts under the lock as well: whoever wrote it left the lock out on purpose."""
        own = (one for one in self.guarded if one.function == self.access.function)
        return self.access.act in UPDATES and any(one.act in UPDATES for one in own)

    @property
    def fix(self) -> str:
        """The lock that a fix takes around it; none where it empties what was used before, and that belongs to it."""
        return "" if self.access.operation in (EMPTIED, SPENT) else self.lock_text

    @property
    def is_weak(self) -> bool:
        """Whether it may do no harm, or the lock may be there for something else, which one access alone holds."""
        return self.declared is None and (self.single or self.known or self.held == 1)

    @property
    def lock_text(self) -> str:
        """The lock as code would name it."""
        if self.lock.sort != "attribute":
            return self.lock.path
        own = self.access.text.rpartition(".")[0]
        return f"{own}.{self.lock.path}" if own and self.access.store.sort == "attribute" else self.lock.path


class Guarded(NamedTuple):
    """State with the lock that most accesses to it hold: those that do, and those that hold none at all."""

    lock: str
    inside: tuple[Access, ...]
    outside: tuple[Access, ...]
    declared: Guard | None = None


class Guarding:
    """Infers for one program."""

    def __init__(self, program: Program, observations: Mapping[str, Observations]) -> None:
        self._program = program
        self._guards = Guards(program, observations)
        self._entry = Entry(program, observations, self._guards)
        self._aside = Aside(program, self._entry)
        self._observations = observations

    def breaches(self) -> Iterator[Breach]:
        """At most one for each function and lock: where it is left out, it is left out for all that it guards."""
        found: dict[tuple[str, str], Breach] = {}
        for guarded in self._all:
            for some in self._leaving_out(guarded):
                breach = self._breach(guarded, some)
                key = (breach.access.function, guarded.lock)
                if key not in found or (found[key].single and not breach.single):
                    found[key] = breach
        return iter(found.values())

    def _breach(self, guarded: Guarded, some: Iterable[Access]) -> Breach:
        """The worst of a function's accesses."""
        worst = min(some, key=partial(_gravity, guarded.inside))
        single = guarded.declared is None and not _harms(worst, guarded.inside)
        held, total = _lines(guarded.inside), _lines((*guarded.inside, *guarded.outside))
        return Breach(worst, self._locks[guarded.lock], guarded.inside, held, total, guarded.declared, single)

    def handed_out(self) -> Iterator[Breach]:
        """Where the state itself leaves the lock, although it is changed in place under it."""
        for guarded in self._all:
            changed = tuple(one for one in guarded.inside if one.act in IN_PLACE)
            if changed and self._is_container(changed[0].store):
                held, total = _lines(guarded.inside), _lines((*guarded.inside, *guarded.outside))
                for access in guarded.inside:
                    if self._for_others(access, guarded.lock) and not is_given_up(self._program, access):
                        yield Breach(access, self._locks[guarded.lock], changed, held, total)

    def _for_others(self, access: Access, lock: str) -> bool:
        """Whether it is returned to somebody who does not hold the lock."""
        if access.operation != "return" or not access.held:
            return False
        name = access.function.rpartition(".")[2].partition("#")[0]
        return not name.startswith("_") and lock not in self._entry.held(access.function, personal=True)

    @cached_property
    def _all(self) -> list[Guarded]:
        """Everything that is mostly used under one lock, and changed under it."""
        found = (self._guarded(store, accesses) for store, accesses in self._by_store().items())
        return [one for one in found if one is not None]

    @cached_property
    def _wards(self) -> Counter[str]:
        """How much each lock guards."""
        return Counter(guarded.lock for guarded in self._all)

    def _by_store(self) -> dict[Store, list[Access]]:
        wanted = self._program.guarded.keys() - self._program.declared.left_alone
        found: dict[Store, list[Access]] = {}
        for path in sorted(self._observations):
            for access in self._observations[path].accesses:
                if access.store in wanted and not self._aside.access(access):
                    found.setdefault(access.store, []).append(access)
        return found

    def _guarded(self, store: Store, accesses: Sequence[Access]) -> Guarded | None:
        held = [(access, self._held(access)) for access in accesses]
        if store in self._declared:
            return self._as_declared(self._declared[store], held)
        counts = Counter(lock for _, locks in held for lock in locks & self._locks.keys())
        if not counts:
            return None
        lock = min(counts, key=lambda one: (-counts[one], one))
        inside = tuple(access for access, locks in held if lock in locks)
        makers = self._makers(self._locks[lock])
        outside = tuple(
            access
            for access, locks in held
            if not locks and access.function not in makers and self._has(access, self._locks[lock])
        )
        mostly = _lines(inside) >= _lines(outside) and any(access.act.writes for access in inside)
        return Guarded(lock, inside, outside) if mostly else None

    def _makers(self, lock: Store) -> set[str]:
        """The functions that make the lock: nobody else can have it yet."""
        puts = self._program.names.stores.puts(lock)
        return {function_id(file.path, function.qualname) for file, function, _ in puts}

    @cached_property
    def _declared(self) -> dict[Store, Guard]:
        return {guard.state: guard for guard in self._program.declared.guards}

    def _as_declared(self, guard: Guard, held: Sequence[tuple[Access, frozenset[str]]]) -> Guarded:
        """Without that lock, whichever other one is held, and whatever is done."""
        names = self._guards.held([_name(guard.lock)])
        inside = tuple(access for access, locks in held if locks & names)
        outside = tuple(access for access, locks in held if not locks & names and ANY_LOCK not in locks)
        for name in names:
            self._locks.setdefault(name, guard.lock)
        return Guarded(min(names), inside, outside, guard)

    @cached_property
    def _locks(self) -> dict[str, Store]:
        """The locks of threads that somebody owns, as lock sets spell them."""
        found: dict[str, Store] = {}
        for some in self._program.owners.locks.values():
            for owned in some:
                store = owned.store
                for name in self._guards.held([_name(store)]):
                    found.setdefault(name, store)
        return found

    def _held(self, access: Access) -> frozenset[str]:
        personal = access.store.sort == "attribute" and not access.through_class and access.reach is Reach.SELF
        return self._guards.held(access.held) | self._entry.held(access.function, personal=personal)

    def _has(self, access: Access, lock: Store) -> bool:
        """Whether the object whose state it is can have the lock: a class beside the lock's own has none."""
        path, qualname = split_id(access.function)
        file = self._program.files[path]
        owner = self._program.names.scopes.method_owner(file, file.body.functions[qualname])
        if lock.sort != "attribute" or access.reach is not Reach.SELF or access.holder is not None or not owner:
            return True
        cls, mro = function_id(path, owner), self._program.names.classes.mro
        return lock.owner in mro(cls) or cls in mro(lock.owner)

    # -- what goes wrong

    def _leaving_out(self, guarded: Guarded) -> list[list[Access]]:
        """By function, the accesses outside that do harm; none where as many functions do without as hold the lock."""
        by_function: dict[str, list[Access]] = {}
        if guarded.declared is not None:
            for access in guarded.outside:
                by_function.setdefault(access.function, []).append(access)
            return list(by_function.values())
        keepers = {access.function for access in guarded.inside}
        for access in guarded.outside:
            ended = access.operation == "del"  # the attribute itself: nobody is to use the object any more
            rebound = access.act is Act.REPLACE and (ended or not self._is_container(access.store))
            # A flag or a number is as good as the next one.
            harmful = _harms(access, guarded.inside) or access.act is Act.CHANGE
            if harmful and not rebound and not self._in_another_world(access, keepers):
                by_function.setdefault(access.function, []).append(access)
        harmed = {access.function for some in by_function.values() for access in some if _harms(access, guarded.inside)}
        return [
            some
            for name, some in by_function.items()
            if self._outweighed(guarded, keepers, harmed if name in harmed else by_function)
            and not _alternative(name, keepers)
            and not self._knows(some[0])
        ]

    def _outweighed(self, guarded: Guarded, keepers: Collection[str], others: Collection[str]) -> bool:
        """Whether more functions hold the lock than do without, or as many where it matters for certain."""
        if len(keepers) != len(others):
            return len(keepers) > len(others)
        alone = self._wards[guarded.lock] == 1 or guarded.lock.startswith("local|")
        return alone or any(_crashes(access, guarded.inside) for access in guarded.outside)

    def _in_another_world(self, access: Access, keepers: Iterable[str]) -> bool:
        """Whether a coroutine of another class than those that hold the lock does it: one loop's thread runs it."""
        file, function = self._program.calls.function(access.function)
        return bool(function.kind & Kind.ASYNC) and all(
            split_id(keeper)[1].rpartition(".")[0] != function.owner or split_id(keeper)[0] != file.path
            for keeper in keepers
        )

    def _knows(self, access: Access) -> bool:
        """Whether the function has just held a lock, and left it before it looks on."""
        if access.act is not Act.ITERATE:
            return False
        return any(0 < access.point.line - line < JUST for line in self._held_lines.get(access.function, ()))

    @cached_property
    def _held_lines(self) -> dict[str, list[int]]:
        """Where functions hold locks of their own taking."""
        found: dict[str, list[int]] = {}
        for seen in self._observations.values():
            points = [(one.point, one.held) for one in seen.accesses] + [(one.point, one.held) for one in seen.calls]
            for point, held in points:
                if held:
                    found.setdefault(point.function, []).append(point.line)
        return found

    def _is_container(self, store: Store) -> bool:
        names = self._program.names
        return any(value.name in names.knowledge.mutators for value in names.held(store))


def _name(store: Store) -> str:
    return f"{store.sort}|{store.owner}|{store.path}"


def _lines(accesses: Iterable[Access]) -> int:
    return len({(access.function, access.point.line) for access in accesses})


def _alternative(function: str, keepers: Iterable[str]) -> bool:
    """Whether it is a function of the same name on another branch: only one of them exists."""
    return any(function.partition("#")[0] == keeper.partition("#")[0] for keeper in keepers if keeper != function)


def _gravity(inside: Sequence[Access], access: Access) -> tuple[bool, bool, Place]:
    """First what does harm, then what changes something."""
    return not _harms(access, inside), not access.act.writes, access.place


def _harms(access: Access, inside: Sequence[Access]) -> bool:
    """Whether something goes wrong between the access and one under the lock."""
    if (access.act.reads_first or access.act is Act.ITERATE) and any(conflict(access, one) for one in inside):
        return True
    if access.operation in ADDING and all(one.operation in TAKING for one in inside if one.act.writes):
        return False
    return access.act.writes and any(_in_steps(one, inside) for one in inside)


def _crashes(access: Access, inside: Sequence[Access]) -> bool:
    """Whether a loop fails because of it."""
    pairs = ((access, one) if access.act is Act.ITERATE else (one, access) for one in inside)
    return any(loop.act is Act.ITERATE and conflict(loop, other) for loop, other in pairs)


def _in_steps(access: Access, inside: Sequence[Access]) -> bool:
    """Whether the access is one of several steps that belong together."""
    if access.act.reads_first or access.act is Act.ITERATE:
        return True
    acts = {one.act for one in inside if one.function == access.function}
    return Act.READ in acts and any(act.writes for act in acts)
