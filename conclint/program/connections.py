"""Connections to SQLite: who made them, and whether other threads than their maker's may use them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from conclint.index.facts import FunctionFact, Kind, Use
from conclint.knowledge.kinds import Context, Unshared
from conclint.model import Note, Place
from conclint.program.calls import Site
from conclint.program.contexts import evidence as trace
from conclint.program.contexts import site_place
from conclint.program.files import File
from conclint.program.linking import Program
from conclint.program.locals import LOCAL
from conclint.program.observations import Used
from conclint.program.races import Moment
from conclint.program.sharing import Shared, Sharing
from conclint.program.testfiles import among_tests
from conclint.program.values import Store, function_id, split_id

CONNECT = "sqlite3.connect"
CURSOR = ".cursor()"

# What may write, or begin or end what writes.
WRITES = ("execute", "executemany", "executescript", "commit", "rollback", "cursor")

# Cursors of cursors' connections are followed so far.
DEEPEST = 3

THREAD_CLASS = "threading.Thread"


class Stranger(NamedTuple):
    """`used` happens in another thread than that which connected at `made`, and sqlite3 does not let it."""

    used: Used
    moment: Moment | None  # None: the method is handed to threads
    made: Site

    @property
    def notes(self) -> tuple[Note, ...]:
        return (
            Note(site_place(self.made), "the connection is made here"),
            *(trace(self.moment.run) if self.moment and self.moment.run else ()),
        )


class Connections:
    """Answers for one program."""

    def __init__(self, program: Program, sharing: Sharing) -> None:
        self._program = program
        self._names = program.names
        self._sharing = sharing

    def strangers(self) -> Iterator[Stranger]:
        """At most one for each connection or cursor that only its maker may use, and for each function."""
        seen: set[str] = set()
        for uses in self._sharing.uses(Unshared.SQLITE):
            found = next((one for used in uses for one in self._strange(used)), None)
            if found is not None and found.used.access.function not in seen:
                seen.add(found.used.access.function)
                yield found
        for used in self._sharing.handed(Unshared.SQLITE):
            made = self._made_elsewhere(used)
            if made is not None:
                yield Stranger(used, None, made)

    def shared(self) -> Iterator[Shared]:
        """Connections that several threads may use, and do with no lock common to them."""
        seen: set[str] = set()
        for shared in self._sharing.of(Unshared.SQLITE):
            access = shared.used.access
            checked = any(_checks(site) for site in self.makers(access.store))
            if (
                not checked
                and not self._asks(access.place.path)
                and (shared.used.handed or access.function not in seen)
            ):
                seen.add(access.function)
                yield shared

    def unlocked(self) -> Iterator[Place]:
        """Where an object or module makes a connection for several threads, and has no lock for it."""
        for site in self._program.calls.calls_named("connect"):
            if self._opens_up(site) and any(self._is_bare(store) for store in self._kept(site)):
                yield site_place(site)

    def _opens_up(self, site: Site) -> bool:
        """Whether the connection is made for other threads too, and nobody has looked whether SQLite bears that."""
        if ("check_same_thread", "=False") not in site.call.keywords or among_tests(site.file.path):
            return False
        return CONNECT in self._program.calls.library_names(site) and not self._asks(site.file.path)

    # -- who made it

    def makers(self, store: Store, depth: int = DEEPEST) -> list[Site]:
        """The calls of `sqlite3.connect` whose connection the store holds, or a cursor of it."""
        found: list[Site] = []
        for file, function, path in self._names.stores.puts(store):
            if path.endswith(CURSOR) and depth:
                owner = self._names.meaning(file, function, path[: -len(CURSOR)]).store
                found += self.makers(owner, depth - 1) if owner is not None else []
            sites = [Site(file, function, call) for call in function.calls if call.func + "()" == path]
            sites = [site for site in sites if CONNECT in self._program.calls.library_names(site)]
            found += [site for site in sites if _goes_to(site, store)] or sites
        return found

    def _strange(self, used: Used) -> Iterator[Stranger]:
        made = self._made_elsewhere(used)
        for moment in self._sharing.moments(used) if made is not None else ():
            if made is not None and moment.run is not None and self._sharing.is_fair(moment):
                yield Stranger(used, moment, made)

    def _made_elsewhere(self, used: Used) -> Site | None:
        """Where the connection is made, if only the main thread does so and nobody else may use it."""
        makers = self.makers(self._sharing.origin(used.access.store))
        threads = any(self._in_thread(site.caller) for site in makers)  # perhaps the one that uses it
        return makers[0] if makers and all(_checks(site) for site in makers) and not threads else None

    def _in_thread(self, identity: str) -> bool:
        return any(run.context is Context.THREAD for run in self._program.contexts.runs(identity))

    # -- who keeps it

    def _kept(self, site: Site) -> Iterator[Store]:
        for goal in site.call.goes:
            store = self._names.meaning(site.file, site.function, goal).store if goal[:1] != "$" else None
            if store is not None and store.sort != "local":
                yield store

    def _is_bare(self, store: Store) -> bool:
        """Whether it is written through, nobody has a lock for it, and no thread is known that it is for."""
        mro = self._names.classes.mro(store.owner) if store.sort == "attribute" else ()
        if THREAD_CLASS in mro or LOCAL in mro or self._locked(store):
            return False
        users = [*self._around(store)]
        known = any(
            self._in_thread(function_id(file.path, function.qualname)) or _waits_its_turn(function)
            for file, function in users
        )
        return not known and any(
            call.func.rpartition(".")[2] in WRITES
            and self._names.meaning(file, function, call.func.rpartition(".")[0]).store == store
            for file, function in users
            for call in function.calls
        )

    def _around(self, store: Store) -> Iterator[tuple[File, FunctionFact]]:
        """All functions of its owner: the methods of a class, or those that mention a variable."""
        if store.sort != "attribute":
            yield from ((file, function) for file, function, _ in self._names.stores.users(store))
            return
        for cls in self._names.classes.family(store.owner):
            yield from ((file, function) for file, function, _ in self._names.scopes.members(cls))

    def _locked(self, store: Store) -> bool:
        owners = self._program.owners
        path = store.owner if store.sort == "global" else split_id(store.owner)[0]
        return bool(owners.locks.get(path)) or (store.sort == "attribute" and bool(owners.of_class(store.owner)))

    def _asks(self, path: str) -> bool:
        """Whether the file looks whether its SQLite may be shared: `sqlite3.threadsafety`."""
        functions = self._program.files[path].functions()
        return any(touched.endswith("threadsafety") for one in functions for touched, _, _ in one.touches)


def _checks(site: Site) -> bool:
    """Whether only the thread that connects there may use the connection."""
    given = dict(site.call.keywords)
    return given.get("check_same_thread", "=True") == "=True" and "**" not in given and len(site.call.args) < 5


def _goes_to(site: Site, store: Store) -> bool:
    """Whether the call's result is put there, rather than that of a call that looks the same."""
    return any(goal == store.path or goal.endswith(f".{store.path}") for goal in site.call.goes)


def _waits_its_turn(function: FunctionFact) -> bool:
    """A coroutine, or whoever holds something like a lock, of whichever kind: the author has thought of it."""
    entered = (call.func for call in function.calls if call.use & Use.WITH)
    return bool(function.kind & Kind.ASYNC) or any("lock" in one.lower() for one in entered)
