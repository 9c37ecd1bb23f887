"""Locks that are held for one thing in one place: they say that several threads come there, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from conclint.program.guards import Guards
from conclint.program.linking import Program
from conclint.program.observations import Observations
from conclint.program.values import Store


class Narrow:
    """Answers for one program."""

    def __init__(self, program: Program, observations: Mapping[str, Observations], guards: Guards) -> None:
        self._program = program
        self._observations = observations
        self._guards = guards

    def leaves_out(self, store: Store) -> bool:
        """Whether each lock of the state's owner is held for other state than this, in one function only."""
        locks = [
            lock for owned in self._program.promises.locks(store) for lock in self._guards.held([_name(owned.store)])
        ]
        kept = [self._kept.get(lock, {}) for lock in locks]
        return bool(kept) and all(len(some) == 1 and store not in some and _in_one_place(some) for some in kept)

    @cached_property
    def _kept(self) -> dict[str, dict[Store, set[str]]]:
        """By lock the state for which it is held, and the functions that hold it for that."""
        found: dict[str, dict[Store, set[str]]] = {}
        for seen in self._observations.values():
            for access in seen.accesses:
                for lock in self._guards.held(access.held):
                    found.setdefault(lock, {}).setdefault(access.store, set()).add(access.function)
        return found


def _in_one_place(some: Mapping[Store, set[str]]) -> bool:
    return all(len(functions) == 1 for functions in some.values())


def _name(store: Store) -> str:
    return f"{store.sort}|{store.owner}|{store.path}"
