"""Which accesses say nothing of locks: nobody else can have the state then, or nobody knows who runs them."""

from __future__ import annotations

import re
from functools import cached_property

from conclint.index.facts import FunctionFact, Kind
from conclint.knowledge.kinds import Context
from conclint.program.deeds import CONSTRUCTION
from conclint.program.entry import Entry
from conclint.program.linking import Program
from conclint.program.names import PROPERTIES
from conclint.program.observations import Access
from conclint.program.testfiles import among_tests
from conclint.program.values import Reach, split_id

# While the object is made, copied, pickled or torn down nobody else has it; some only tell of it.
ALONE = CONSTRUCTION | frozenset(
    (
        "__enter__",
        "__repr__",
        "__str__",
        "__del__",
        "__getstate__",
        "__reduce__",
        "__reduce_ex__",
        "__copy__",
        "__deepcopy__",
    )
)

# Functions that say themselves that only one thread is left, or not more than one yet, or that they are for tests.
SAID_ALONE = re.compile(
    r"fork|(?:^|_)tests?(?:ing)?(?:_|$)|(?:^|_)(?:re)?init(?:iali[sz]e)?(?:_|$)|^set_?up|^tear_?down"
)

# What fills an object once, before others have it.
LOADS = re.compile(r"^_?(?:load|restore)(?:_|$)")

# Callers of callers are asked so far.
DEEPEST = 4


def loads(function: FunctionFact) -> bool:
    """Whether the function loads all there is: nobody tells it what."""
    return LOADS.search(function.name) is not None and len(function.params) <= 1


class Aside:
    """Answers for one program."""

    def __init__(self, program: Program, entry: Entry) -> None:
        self._program = program
        self._entry = entry
        self._calls = program.calls
        self._targets = {root.target for root in program.spawns.roots}
        self._alone: dict[str, bool] = {}

    def access(self, access: Access) -> bool:
        """Whether the access does not count."""
        if access.constructing or access.point.joined or among_tests(access.place.path):
            return True
        if access.store.sort == "attribute" and not access.through_class:
            if access.reach not in (Reach.SELF, Reach.SHARED):
                return True
            if self._entry.only_constructs(access.function):
                return True
        if self._makes(access) or self._before_start(access) or self._before_release(access):
            return True
        return self._function(access)

    def _makes(self, access: Access) -> bool:
        """Module code for a global, the function itself for its variables: before anybody else can see them."""
        _, qualname = split_id(access.function)
        return not qualname or (access.store.sort == "local" and access.store.owner == access.function)

    def _before_start(self, access: Access) -> bool:
        """Whether the function starts a thread behind it."""
        return access.point.line <= self._starts.get(access.function, 0)

    def _before_release(self, access: Access) -> bool:
        """Whether the function gives back, behind it, a lock that somebody else took for it."""
        _, function = self._calls.function(access.function)
        last = [call.func.rpartition(".")[2] for call in function.calls]
        return "acquire" not in last and any(
            call.func.endswith(".release") and access.point.line <= call.line for call in function.calls
        )

    @cached_property
    def _starts(self) -> dict[str, int]:
        """By function: the last line on which it starts threads."""
        found: dict[str, int] = {}
        for root in self._program.spawns.roots:
            if root.context is Context.THREAD:
                starts = [call.line for call in root.site.function.calls if call.func.endswith(".start")]
                last = max(root.site.call.line, *starts) if starts else root.site.call.line
                found[root.site.caller] = max(last, found.get(root.site.caller, 0))
        return found

    def _function(self, access: Access) -> bool:
        if any(run.context is Context.SIGNAL for run in self._program.contexts.runs(access.function)):
            return True  # a handler that takes the lock may wait for the very code that it interrupts
        if access.store.sort != "local" and self._handed_over(access.function):
            return True
        return self._runs_alone(access.function, DEEPEST)

    def _runs_alone(self, identity: str, depth: int) -> bool:
        """Whether the function, or everybody who calls it, says that it runs alone."""
        known = self._alone.get(identity)
        if known is None:
            self._alone[identity] = False  # a circle says nothing
            known = self._alone[identity] = self._find_alone(identity, depth)
        return known

    def _find_alone(self, identity: str, depth: int) -> bool:
        _, function = self._calls.function(identity)
        if function.name in ALONE or SAID_ALONE.search(function.name) or loads(function):
            return True
        callers = {site.caller for site in self._calls.callers(identity)} if depth and function.owner else set()
        private = function.name.startswith("_")
        return private and bool(callers) and all(self._runs_alone(caller, depth - 1) for caller in callers)

    def _handed_over(self, identity: str) -> bool:
        """What no call leads to and no thread begins with: some table, callback or attribute access runs it."""
        file, function = self._calls.function(identity)
        if identity in self._targets:
            return False
        if PROPERTIES & {*function.decorators}:
            return any(qualname != function.qualname for qualname, _ in file.body.functions.touching(function.name))
        inside = bool(function.enclosing) and function.enclosing in file.body.functions and not function.owner
        private = function.name.startswith("_") and not function.name.endswith("__")
        unknown = bool(function.kind & Kind.LAMBDA) or inside or private
        return unknown and not self._calls.callers(identity)
