"""What functions do to state, as far as the index tells: which paths they change, and which in several steps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from conclint.index.facts import FunctionFact, Touch
from conclint.knowledge.containers import GIVEN_TO, ITEM_BY_ITEM, OF_DEQUES, UNSTEADY, UPSETTING, WALKING
from conclint.knowledge.kinds import Knowledge
from conclint.program.files import File
from conclint.program.values import Store, function_id

CHANGES = Touch.WRITE | Touch.ITEM

# Behind a path: its items are looked at.
WALKED = re.compile(r"\[|\.(?:items|keys|values)\(\)")

VIEW = re.compile(r"\.(?:items|keys|values)\(\)$")

# What walks over its first argument, by its last name.
WHOLE = frozenset(name.rpartition(".")[2] for name in WALKING)

GOING = ITEM_BY_ITEM | OF_DEQUES | {"iter"}

# Code that runs before others can have the object.
CONSTRUCTION = frozenset(
    {"__init__", "__new__", "__post_init__", "__init_subclass__", "__setstate__", "__set_name__", "setUp"}
)

# Code that runs while classes are made: at import.
AT_IMPORT = frozenset({"__init_subclass__", "__set_name__"})


class Done(NamedTuple):
    """What a function does by path: Touch bits, methods called that change containers, iterations and items taken."""

    bits: dict[str, int]
    mutated: frozenset[str]
    walked: frozenset[str]
    looks: bool = False  # whether a look counts that may be followed by another one

    def changes(self, path: str) -> bool:
        return bool(self.bits.get(path, 0) & CHANGES) or path in self.mutated

    def in_steps(self, path: str) -> bool:
        """Whether it may do something to it in several steps: read it and change it, or walk over it."""
        bits = self.bits.get(path, 0)
        if self.looks and bits & Touch.SEEN:
            return True
        if bits & Touch.AUGMENTED or (bits & Touch.READ and (bits & CHANGES or path in self.mutated)):
            return True
        return path in self.walked


class Deeds:
    """Answers for one program; every function is looked through once."""

    def __init__(self, knowledge: Knowledge, *, free_threaded: bool = False) -> None:
        self.free_threaded = free_threaded
        self._mutators = frozenset(name for names in knowledge.mutators.values() for name in names)
        self._known: dict[tuple[str, str], Done] = {}

    def of(self, file: File, function: FunctionFact) -> Done:
        """All that a function does."""
        key = (file.path, function.qualname)
        known = self._known.get(key)
        if known is None:
            bits: dict[str, int] = {}
            for path, what, _ in function.touches:
                bits[path] = bits.get(path, 0) | what
            mutated = frozenset(self._changed(function))
            walked = frozenset(path[: step.start()] for _, path in function.binds for step in WALKED.finditer(path))
            walked |= frozenset(_given_whole(function))
            if self.free_threaded:
                walked |= frozenset(_in_sight(function))
            known = self._known[key] = Done(bits, mutated, walked)
        return known

    def _changed(self, function: FunctionFact) -> Iterator[str]:
        """What calls change: `d` of `d.pop(k)`, of `d[k].remove(x)` and of `heapq.heappush(d, x)`."""
        for call in function.calls:
            owner, _, method = call.func.rpartition(".")
            if method in self._mutators:
                yield owner.removesuffix("[]") if method in UPSETTING else owner
            elif method in GIVEN_TO and call.args:
                yield call.args[0]

    def changes(self, file: File, function: FunctionFact, path: str, store: Store) -> bool:
        """Whether the function changes the state, which it calls `path`, rather than makes it."""
        return not constructs(file, function, path, store) and self.of(file, function).changes(path)


class Looks(Deeds):
    """The same deeds, among which a look counts."""

    def __init__(self, knowledge: Knowledge, deeds: Deeds) -> None:
        super().__init__(knowledge, free_threaded=deeds.free_threaded)
        self._deeds = deeds

    def of(self, file: File, function: FunctionFact) -> Done:
        key = (file.path, function.qualname)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._deeds.of(file, function)._replace(looks=True)
        return known


def _given_whole(function: FunctionFact) -> Iterator[str]:
    """What it gives to others that walk over it, or perhaps does, where it is part of what is given."""
    for call in function.calls:
        if call.func.rpartition(".")[2] in WHOLE and call.args:
            yield from [call.args[0]] if call.args[0][:1] != "$" else (path for path, _, _ in function.touches)


def _in_sight(function: FunctionFact) -> Iterator[str]:
    """What it goes through item by item, or changes so that others see it half done, once there is no GIL."""
    for call in function.calls:
        owner, _, name = call.func.rpartition(".")
        if owner and name in UNSTEADY:
            yield owner
        if not owner and name in GOING:
            yield from (VIEW.sub("", path) for path in call.args)


def constructs(file: File, function: FunctionFact, path: str, store: Store) -> bool:
    """Whether the state is made there rather than changed: module code for a global, `__init__` for `self`."""
    if store.sort == "global":
        return not function.qualname and file.path == store.owner
    if store.sort == "local":
        return function_id(file.path, function.qualname) == store.owner and _bound_once(function, path)
    name = function.name
    if name not in CONSTRUCTION or name == "__new__":  # whose first parameter is the class
        return False
    return name in AT_IMPORT or (bool(function.params) and path == f"{function.params[0].name}.{store.path}")


def _bound_once(function: FunctionFact, path: str) -> bool:
    return sum(target == path for target, _ in function.binds) <= 1
