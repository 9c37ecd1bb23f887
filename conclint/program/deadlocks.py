"""Threads that wait for themselves, or for one that waits for them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from conclint.index.facts import Use
from conclint.knowledge.kinds import Context
from conclint.knowledge.locks import NOTIFYING
from conclint.knowledge.waiting import Wait
from conclint.program.calls import Site
from conclint.program.deep import Step
from conclint.program.linking import Program
from conclint.program.sections import Sections, Under, Waiting
from conclint.program.spawns import Root
from conclint.program.takes import Taken, store_of
from conclint.program.testfiles import is_test
from conclint.program.values import Sort, function_id

# Who notifies is asked, and who calls it; those further away mostly hold the lock from before the wait on.
WAKERS_DEEP = 2

ENDINGS = ("join", "result", "exception", "get", "wait", "shutdown")


class Again(NamedTuple):
    """A lock that is held is taken once more by the same thread: `path` leads from the call to `at`."""

    under: Under
    lock: Taken
    path: tuple[Step, ...]
    at: Taken


class Embrace(NamedTuple):
    """A worker is waited for while a lock is held that it needs: `path` leads from what it runs (`root`) to `at`."""

    waiting: Waiting
    lock: Taken
    root: Root
    path: tuple[Step, ...]
    at: Taken


class SecondLock(NamedTuple):
    """`waiting` gives back its condition's lock, and keeps the `other`, which `rival` wants.

    `deadly`: who is to wake it may need the other lock; else the rival only waits as long.
    """

    waiting: Waiting
    condition: Taken
    other: Taken
    rival: Taken
    deadly: bool


class Deadlocks:
    """Finds those of one program."""

    def __init__(self, program: Program, sections: Sections) -> None:
        self._program = program
        self._locking = program.locking
        self._sections = sections

    # -- the same lock again

    def again(self) -> Iterator[Again]:
        """At most one for each call."""
        for under in self._sections.calls:
            found = next(self._again(under), None)
            if found is not None and self._is_sure(found):
                yield found

    def _again(self, under: Under) -> Iterator[Again]:
        for lock in under.held:
            kind = self._locking.takes.kind(lock.lock)
            if kind is None or kind.reentrant or kind.among is Context.LOOP:
                continue
            for step in self._locking.steps.at(under.site):
                personal = not self._fixed(lock.lock)
                taken = self._locking.own if personal else self._locking.any
                same = not personal or _same_object(lock, under.site, step)
                if same and taken.of(step.callee) & self._locking.bit(lock.lock):
                    path = self._locking.chain(step, lock.lock, personal=personal)
                    yield Again(under, lock, path, self._taking(path[-1].callee, lock.lock))

    def _fixed(self, lock: str) -> bool:
        """Whether there is only one such lock: a module's, a class's, one that functions share as their variable."""
        store = store_of(lock)
        if store is None or not self._locking.takes.identified(lock):
            return False
        return store.sort != "attribute" or self._program.names.stores.of_class(store)

    def _is_sure(self, again: Again) -> bool:
        """Whether every step is surely made, for one object."""
        inner = (*(step.site.call.use for step in again.path[1:]), again.at.site.call.use)
        if again.path[0].callee == again.under.seen.function:
            _, function = self._program.calls.function(again.path[0].callee)
            if again.path[0].site.call.func.rpartition(".")[2] != function.name:
                return False  # what it has wrapped, and taken the place of
        return self._locking.steps.feasible(again.path) and not any(use & Use.BRANCH for use in inner)

    def _taking(self, identity: str, lock: str) -> Taken:
        return next(one for one in self._locking.takes.of(identity) if one.lock == lock and one.waits)

    # -- a worker that needs the lock

    def embraces(self) -> Iterator[Embrace]:
        """One for each place that waits and each lock: where the lock is held next to it."""
        nearest = sorted(self._sections.waiting, key=lambda one: len(one.path))
        seen = set()
        for waiting in nearest:
            if waiting.wait in (Wait.JOIN, Wait.RESULT) and self._locking.steps.feasible(waiting.path):
                found = next(self._embraces(waiting), None)
                if found is not None and (key := (waiting.at, found.lock.lock)) not in seen:
                    seen.add(key)
                    yield found

    def _embraces(self, waiting: Waiting) -> Iterator[Embrace]:
        for lock in waiting.under.held:
            if self._locking.takes.identified(lock.lock):
                bit = self._locking.bit(lock.lock)
                for root in self._awaited(waiting.at):
                    if root.context is Context.THREAD and self._locking.any.of(root.target) & bit:
                        path = self._locking.any.path(root.target, bit)
                        if not self._locking.steps.feasible(path):
                            continue
                        last = path[-1].callee if path else root.target
                        yield Embrace(waiting, lock, root, path, self._taking(last, lock.lock))

    def _awaited(self, site: Site) -> Iterator[Root]:
        """What runs in the worker that the call waits for."""
        yield from self._by_ending.get((site.file.path, site.call.line, site.call.column), ())
        receiver = site.call.func.rpartition(".")[0]
        meaning = self._program.names.meaning(site.file, site.function, receiver)
        classes = {value.name for value in meaning.values if value.sort is Sort.INSTANCE and ":" in value.name}
        roots = self._program.spawns.roots
        yield from (root for root in roots if root.owner in classes and root.how.endswith("Thread"))
        if meaning.store is not None and site.call.func.endswith(".shutdown"):
            for root in roots:
                pool = root.site.call.func.rpartition(".")[0]
                if root.how.endswith(".submit") and self._store(root.site, pool) == meaning.store:
                    yield root

    def _store(self, site: Site, path: str) -> object:
        return self._program.names.meaning(site.file, site.function, path).store

    @cached_property
    def _by_ending(self) -> dict[tuple[str, int, int], list[Root]]:
        """By where it is waited for: what is started in the files in which something is waited for under a lock."""
        waited = (one for one in self._sections.waiting if one.wait in (Wait.JOIN, Wait.RESULT))
        files = {one.at.file.path for one in waited}
        found: dict[tuple[str, int, int], list[Root]] = {}
        for root in self._program.spawns.roots:
            if root.site.file.path in files and root.site.call.line:
                for end in self._program.handles.fate(root.site).sites(*ENDINGS):
                    found.setdefault((end.file.path, end.call.line, end.call.column), []).append(root)
        return found

    # -- waiting with a second lock

    def second_locks(self) -> Iterator[SecondLock]:
        """Conditions that are waited for without a limit while another lock is held that others want."""
        for waiting in self._sections.waiting:
            limited = len(waiting.at.call.args) > waiting.at.call.func.endswith("_for") or waiting.at.call.keywords
            if waiting.wait is Wait.CONDITION and not limited and not is_test(waiting.under.seen.place.path):
                inner = [step.site for step in waiting.path[1:]] + ([waiting.at] if waiting.path else [])
                found = self._second_lock(waiting)
                sure = not any(site.call.use & Use.BRANCH for site in inner)  # `put(block=False)` does not wait
                if found is not None and sure and self._locking.steps.feasible(waiting.path):
                    yield found

    def _second_lock(self, waiting: Waiting) -> SecondLock | None:
        condition = self._condition(waiting)
        for other in waiting.under.held if condition is not None else ():
            if condition is not None and other.lock != condition.lock and self._locking.takes.identified(other.lock):
                rivals = self._sections.others(other.lock, waiting.under.seen.function)
                rival = next((one for one in rivals if not is_test(one.site.file.path)), None)
                if rival is not None:
                    return SecondLock(waiting, condition, other, rival, self._wakes_with(waiting.at, other))
        return None

    def _wakes_with(self, wait: Site, lock: Taken) -> bool:
        """Whether somebody who notifies the condition, or calls who does, takes the lock too."""
        condition = self._store(wait, wait.call.func.rpartition(".")[0])
        level = {
            site.caller
            for name in NOTIFYING
            for site in self._program.calls.calls_named(name)
            if condition is None or self._store(site, site.call.func.rpartition(".")[0]) in (condition, None)
        }
        for _ in range(WAKERS_DEEP):
            if any(taken.lock == lock.lock for one in level for taken in self._locking.takes.of(one)):
                return True
            level = {site.caller for one in level for site in self._program.calls.callers(one)}
        return False

    def _condition(self, waiting: Waiting) -> Taken | None:
        """Where the function that waits takes the condition's lock."""
        owner = waiting.at.call.func.rpartition(".")[0]
        function = function_id(waiting.at.file.path, waiting.at.function.qualname)
        takes = [*self._locking.takes.of(function), *waiting.under.held]
        found = next((one for one in takes if one.text == owner), None)
        return found or next((one for one in takes if self._is(one, waiting.at, owner)), None)

    def _is(self, taken: Taken, site: Site, owner: str) -> bool:
        """Whether the condition is one made of the lock."""
        store = self._program.names.meaning(site.file, site.function, owner).store
        if store is None:
            return False
        return taken.lock in self._locking.guards.held([f"{store.sort}|{store.owner}|{store.path}"])


def _same_object(lock: Taken, site: Site, step: Step) -> bool:
    """`with self._lock: self.method()`, `with node.lock: node.method()`."""
    if lock.own:
        return step.own
    return site.call.func.rpartition(".")[0] == lock.text.rpartition(".")[0] != ""
