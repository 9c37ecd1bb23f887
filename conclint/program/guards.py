"""Which lock is which: aliases, conditions made of a lock, managers and decorators that hold one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from conclint.index.facts import FunctionFact
from conclint.knowledge.lockwords import gives_lock
from conclint.program.observations import Observations
from conclint.program.values import Store, split_id

if TYPE_CHECKING:
    from conclint.program.linking import Program

# Held by contract: some lock, nobody says which.
ANY_LOCK = "*"

# Names for names for locks are followed so far.
DEEPEST = 4


class Guards:
    """Lock sets as files observe them, brought to one spelling for the whole program."""

    def __init__(self, program: Program, observations: Mapping[str, Observations]) -> None:
        self._program = program
        self._holders = {one.function: one.held for seen in observations.values() for one in seen.holders}
        self._known: dict[str, frozenset[str]] = {}

    def held(self, locks: Iterable[str]) -> frozenset[str]:
        """The locks themselves, for locks, their aliases and what holds them."""
        return frozenset(lock for one in locks for lock in self._expanded(one))

    def _expanded(self, lock: str) -> frozenset[str]:
        known = self._known.get(lock)
        if known is None:
            self._known[lock] = frozenset()  # a circle holds nothing
            known = self._known[lock] = frozenset(self._expand(lock))
        return known

    def _expand(self, lock: str) -> Iterator[str]:
        kind, _, rest = lock.partition("|")
        if kind == "in":
            yield from self._held_in(lock, rest)
        elif kind == "by":
            decorator, _, decorated = rest.partition("|")
            yield from (self._owned(one, decorated) for one in self._held_in(lock, decorator))
        elif kind == "enter":
            method = self._program.calls.method(rest, "__enter__")
            if method:
                yield from self._held_in(lock, method)
        elif kind in ("local", "global", "attribute"):
            owner, _, path = rest.rpartition("|")
            store = self._canonical(Store(kind, owner, path), DEEPEST)
            yield f"{store.sort}|{store.owner}|{store.path}"
        else:
            yield lock

    def _owned(self, lock: str, decorated: str) -> str:
        """`own|lock` as the decorated method knows it."""
        kind, _, path = lock.partition("|")
        file, function = self._program.calls.function(decorated)
        if kind != "own" or not function.params:
            return lock
        store = self._program.names.meaning(file, function, f"{function.params[0].name}.{path}").store
        return next(iter(self.held([f"{store.sort}|{store.owner}|{store.path}"]))) if store is not None else lock

    def _held_in(self, lock: str, function: str) -> Iterator[str]:
        held = self._holders.get(function)
        name = split_id(function)[1].rpartition(".")[2].partition("#")[0]
        if held is not None:
            yield from self.held(held)
        elif gives_lock(name):
            yield lock

    def _canonical(self, store: Store, depth: int) -> Store:
        """The variable or attribute that holds the lock first: `lock = self._lock`, `Condition(self._lock)`."""
        puts = list(dict.fromkeys(self._program.names.stores.puts(store)))
        if depth == 0 or len(puts) != 1:
            return store
        file, function, path = puts[0]
        made_of = self._condition_of(function, path, store) if path.endswith("Condition()") else path
        meaning = self._program.names.meaning(file, function, made_of)
        if meaning.store is None or meaning.store == store or made_of.endswith("()"):
            return store
        return self._canonical(meaning.store, depth - 1)

    @staticmethod
    def _condition_of(function: FunctionFact, path: str, store: Store) -> str:
        made = [
            call
            for call in function.calls
            if call.func + "()" == path
            and any(goal == store.path or goal.endswith("." + store.path) for goal in call.goes)
        ]
        if len(made) != 1:
            return path
        arguments = [*made[0].args[:1], *(value for word, value in made[0].keywords if word == "lock")]
        return arguments[0] if arguments else path
