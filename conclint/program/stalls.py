"""Calls that keep a lock for as long as somebody else takes, although others want it only for a moment."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from conclint.index.facts import Use
from conclint.knowledge.kinds import Context
from conclint.knowledge.waiting import Wait
from conclint.program.calls import Site
from conclint.program.takes import Taken, store_of
from conclint.program.testfiles import is_test
from conclint.program.values import Sort, split_id

if TYPE_CHECKING:
    from conclint.program.linking import Program
    from conclint.program.sections import Sections, Waiting

# Who begins or ends an object's life expects to wait, and to be waited for.
LIFECYCLE = frozenset(
    ("close", "stop", "shutdown", "disconnect", "reset", "terminate", "start", "open", "connect", "join", "cleanup")
) | frozenset(("quit", "kill", "dispose", "teardown", "init", "del", "exit", "enter"))

OUTSIDE = Wait.NETWORK | Wait.PROCESS | Wait.SLEEP | Wait.PERSON

# What makes a connection, which its maker may keep.
MAKING = ("connect", "create_connection", "SMTP", "SMTP_SSL")


# What tells a worker to come to its end.
TELLING = frozenset(("stop", "cancel", "close", "terminate", "kill", "shutdown", "quit", "exit"))


class Stall(NamedTuple):
    """`waiting` keeps the lock; `rival` wants it, or several threads come this way themselves."""

    waiting: Waiting
    lock: Taken
    rival: Taken | None


class Stalls:
    """Finds the stalls of one program."""

    def __init__(self, program: Program, sections: Sections) -> None:
        self._program = program
        self._sections = sections

    def all(self) -> Iterator[Stall]:
        """The first of each function and lock; where several hold the lock around one call, the one next to it."""
        seen: set[tuple[str | Site, str]] = set()
        for waiting in sorted(self._sections.waiting, key=lambda one: len(one.path)):
            for lock in waiting.under.held:
                keys: set[tuple[str | Site, str]] = {(waiting.under.seen.function, lock.lock), (waiting.at, lock.lock)}
                if not keys & seen and (stall := self._stall(waiting, lock)) is not None:
                    seen |= keys
                    yield stall

    def _stall(self, waiting: Waiting, lock: Taken) -> Stall | None:
        kind = self._program.locking.takes.kind(lock.lock)
        if kind is None or kind.among is not Context.THREAD or not self._program.locking.takes.identified(lock.lock):
            return None
        if waiting.wait is Wait.CONDITION or self._is_meant(waiting, lock):
            return None
        rival = self._rival(waiting, lock)
        crowded = waiting.wait in (Wait.NETWORK, Wait.SLEEP) and not waiting.path and self._crowded(waiting)
        return Stall(waiting, lock, rival) if rival is not None or crowded else None

    def _is_meant(self, waiting: Waiting, lock: Taken) -> bool:
        """Whether the lock is there for what is waited for."""
        function = waiting.under.seen.function
        if is_test(waiting.under.seen.place.path) or not self._program.locking.steps.feasible(waiting.path):
            return True
        sites = [*(step.site for step in waiting.path), waiting.at]
        if any(site.call.use & Use.BRANCH for site in sites[1:]):
            return True  # the functions that are called may wait or not, as they are asked
        if waiting.wait & OUTSIDE:
            return bool(sites[0].call.use & Use.BRANCH) or self._own_resource(waiting, lock)
        ways = [step.callee for step in waiting.path] + [function] * (waiting.wait is Wait.JOIN)
        if any(map(of_lifecycle, ways)):
            return True
        if waiting.wait is Wait.QUEUE:
            return _asked(waiting.at, "empty") or _asked(waiting.at, "qsize")
        return waiting.wait is Wait.JOIN and _told(waiting.at)

    def _own_resource(self, waiting: Waiting, lock: Taken) -> bool:
        """Whether what is waited for belongs to the same object, or module, as the lock."""
        call = waiting.at.call
        personal = lock.own and all(step.own for step in waiting.path)
        receiver, _, last = call.func.rpartition(".")
        paths = (receiver, *call.args, *call.goes)
        if personal and (last in MAKING or any(path.startswith("self.") for path in paths)):
            return True
        first = waiting.under.site
        store, home = self._root(first), store_of(lock.lock)
        return store is not None and home is not None and store[:2] == home[:2]

    def _root(self, site: Site) -> tuple[str, str, str] | None:
        """The variable whose method is called."""
        receiver = site.call.func.rpartition(".")[0]
        meaning = self._program.names.meaning(site.file, site.function, receiver)
        imported = any(value.sort in (Sort.LIBRARY, Sort.MODULE) for value in meaning.values)
        return meaning.store.root if meaning.store is not None and not imported else None

    # -- who is kept waiting

    def _rival(self, waiting: Waiting, lock: Taken) -> Taken | None:
        """Another function that wants the lock for a moment only."""
        takers = self._takers.get(lock.lock, ())
        for one in takers:
            function = one.site.caller
            if function == waiting.under.seen.function or of_lifecycle(function) or is_test(one.site.file.path):
                continue
            if not self._program.locking.waits.of(function):
                return one
        return None

    @cached_property
    def _takers(self) -> dict[str, list[Taken]]:
        found: dict[str, list[Taken]] = {}
        for taken in self._program.locking.takes.by_function.values():
            for one in taken:
                found.setdefault(one.lock, []).append(one)
        return found

    def _crowded(self, waiting: Waiting) -> bool:
        """Whether several threads of a pool come this way, and do more under the lock than that."""
        function = waiting.under.seen.function
        runs = self._program.contexts.runs(function)
        if not any(run.context is Context.THREAD and run.many for run in runs):
            return False
        return waiting.wait is not Wait.SLEEP or any(
            under.seen.function == function and not under.seen.text.startswith("time.")
            for under in self._sections.calls
        )


def _asked(site: Site, method: str) -> bool:
    """Whether the function asks the same object with that method."""
    asked = f"{site.call.func.rpartition('.')[0]}.{method}"
    return any(call.func == asked for call in site.function.calls)


def _told(site: Site) -> bool:
    """Whether what is waited for was told to come to its end, so that it will not be long."""
    receiver, _, method = site.call.func.rpartition(".")
    told = (call.func.rpartition(".") for call in site.function.calls if call.line <= site.call.line)
    return method == "shutdown" or any(
        name in ("set", "put", "put_nowait", "notify_all") or (owner == receiver and name in TELLING)
        for owner, _, name in told
    )


def of_lifecycle(function: str) -> bool:
    """Whether the function begins or ends an object's life, as far as its name tells."""
    name = split_id(function)[1].rpartition(".")[2].partition("#")[0].strip("_")
    return any(part in LIFECYCLE for part in name.split("_"))
