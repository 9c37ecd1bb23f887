"""Threads that may come to join themselves by way of what somebody has handed in: a callback that calls `stop()`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from conclint.index.facts import FunctionFact
from conclint.program.calls import Site
from conclint.program.files import File
from conclint.program.foreign import code_of
from conclint.program.linking import Program
from conclint.program.spawns import Root
from conclint.program.testfiles import among_tests

THREAD = "threading.Thread"

# Who asks like this knows.
ASKS = frozenset({"current_thread", "currentThread", "get_ident", "get_native_id"})

# Who names these expects the error.
CATCHES = frozenset({"RuntimeError", "Exception"})

# Where objects begin and end their lives, nobody's callback is.
ASIDE = frozenset({"__init__", "__del__", "__exit__", "run"})

# Calls of calls are followed so far.
DEEPEST = 3
MOST = 40


class SelfJoin(NamedTuple):
    """A public method joins at `join` the thread that calls what was handed in at `calls`."""

    join: Site
    calls: Site


class SelfJoins:
    """Finds them in one program."""

    def __init__(self, program: Program, roots: Iterable[Root]) -> None:
        self._program = program
        self._calls = program.calls
        self._roots = [root for root in roots if root.how == THREAD and not among_tests(root.site.file.path)]
        self._foreign: dict[str, Site | None] = {}

    def all(self) -> Iterator[SelfJoin]:
        """Each join once."""
        seen: set[tuple[str, int]] = set()
        for join, target in (*self._kept(), *self._own()):
            where = (join.file.path, join.call.line)
            called = self._foreign_in(target) if where not in seen and self._anybodys(join.function) else None
            if called is not None:
                seen.add(where)
                yield SelfJoin(join, called)

    def _kept(self) -> Iterator[tuple[Site, str]]:
        """Joins of a thread that works for the object of the method, and what it runs."""
        for root in self._roots:
            for use in self._program.handles.fate(root.site).uses:
                if use.method == "join" and self._together(use.site.function, root):
                    yield use.site, root.target

    def _own(self) -> Iterator[tuple[Site, str]]:
        """`self.join()` in a thread class."""
        for cls in self._program.names.classes.deriving(frozenset({THREAD})):
            run, path = self._calls.method(cls, "run"), cls.partition(":")[0]
            for file, function, _ in self._program.names.scopes.members(cls) if run and not among_tests(path) else ():
                own = f"{function.params[0].name}.join" if function.params else ""
                for call in function.calls:
                    if call.func == own:
                        yield Site(file, function, call), run

    @staticmethod
    def _anybodys(function: FunctionFact) -> bool:
        """Whether users may call it at any time, also from a callback, and it does not ask who is running."""
        if any(path in CATCHES for path, _, _ in function.touches):
            return False
        names = [call.func.rpartition(".")[2] for call in function.calls]
        public = bool(function.owner) and not function.name.startswith("_") and function.name not in ASIDE
        return public and not ASKS & {*names} and "start" not in names

    def _together(self, function: FunctionFact, root: Root) -> bool:
        """Whether the method's object is the one that the thread works for."""
        _, run = self._calls.function(root.target)
        return function.owner in (run.owner, root.site.function.owner)

    def _foreign_in(self, identity: str) -> Site | None:
        """The first call of what somebody handed in, in the function or in what it calls."""
        if identity not in self._foreign:
            self._foreign[identity] = next(self._look(identity), None)
        return self._foreign[identity]

    def _look(self, identity: str) -> Iterator[Site]:
        seen, level = {identity}, [identity]
        for _ in range(DEEPEST):
            below: list[str] = []
            for one in level:
                file, function = self._calls.function(one)
                for call in function.calls:
                    values = self._calls.targets(file, function, call.func)
                    if not values and self._is_handed_in(file, function, Site(file, function, call)):
                        yield Site(file, function, call)
                    below += [value.name for value in values if value.owner]
            level = [one for one in dict.fromkeys(below) if one not in seen][: MOST - len(seen)]
            seen.update(level)

    def _is_handed_in(self, file: File, function: FunctionFact, site: Site) -> bool:
        """`self._on_message(…)`, which some method was given; `for listener in self._listeners: listener(…)`."""
        found = code_of(self._program, site)
        if found is not None and found[1] is not None:
            return True
        owner, _, name = site.call.func.rpartition(".")
        if not function.params or owner != function.params[0].name or not name:
            return False
        store = self._program.names.meaning(file, function, site.call.func).store
        puts = self._program.names.stores.puts(store) if store is not None else ()
        return any(given in {param.name for param in home.params} for _, home, given in puts)
