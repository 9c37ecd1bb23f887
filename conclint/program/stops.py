"""Whether somebody tells a running function to stop: sets the flag that its loop asks, or sends the last word."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.index.facts import CallFact, FunctionFact, Touch
from conclint.program.calls import Calls
from conclint.program.values import Store, function_id, split_id

# A loop that asks one of these whether to go on, directly or a few calls further down.
ASKS = frozenset({"is_set", "isSet", "wait"})
TELLS = frozenset({"set", "clear"})
TAKES = frozenset({"get", "get_nowait", "popleft", "pop"})
SENDS = frozenset({"put", "put_nowait", "append", "appendleft", "send"})

# What is set before anything runs tells nobody to stop.
BEFORE = frozenset({"__init__", "__new__", ""})

# Callees of callees are asked so deep what they wait for.
DEEPEST = 3


class Stops:
    """Answers `told(function)`."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._names = calls.names
        self._known: dict[str, bool] = {}

    def told(self, identity: str) -> bool:
        """Whether another function of the program changes what the function asks before it goes on."""
        known = self._known.get(identity)
        if known is None:
            inside = set(self._reached(identity, DEEPEST))
            known = self._known[identity] = any(self._changed(store, inside) for store in self._asked(inside))
        return known

    def _reached(self, identity: str, depth: int) -> Iterator[str]:
        yield identity
        if depth:
            file, function = self._calls.function(identity)
            for call in function.calls:
                for value in self._calls.targets(file, function, call.func):
                    if value.owner:
                        yield from self._reached(value.name, depth - 1)

    def _asked(self, inside: set[str]) -> set[Store]:
        """The state that decides how long it runs."""
        found: set[Store] = set()
        for identity in inside:
            file, function = self._calls.function(identity)
            for path in _questions(function):
                store = self._names.meaning(file, function, path).store
                own = store is not None and store.sort == "local" and store.owner == identity
                if store is not None and (not own or _given(function, path)):
                    found.add(store)
        return found

    def _changed(self, store: Store, inside: set[str]) -> bool:
        if store.sort == "local":
            return self._changed_by_giver(store, inside)
        for file, function, prefix in self._names.users(store):
            elsewhere = function_id(file.path, function.qualname) not in inside and function.name not in BEFORE
            if elsewhere and self._changes(function, prefix + store.path):
                return True
        return False

    def _changed_by_giver(self, store: Store, inside: set[str]) -> bool:
        """A variable of the scope around, or a parameter: whoever has the same object changes it."""
        _, qualname = split_id(store.owner)
        return any(
            self._changes(function, store.path)
            for one, function, _ in self._names.users(store)
            if function_id(one.path, function.qualname) not in inside and function.qualname.startswith(qualname)
        )

    @staticmethod
    def _changes(function: FunctionFact, spelled: str) -> bool:
        if any(path == spelled and bits & Touch.WRITE for path, bits, _ in function.touches):
            return True
        return any(_tells(call, spelled) for call in function.calls)


def _questions(function: FunctionFact) -> Iterator[str]:
    for target, path in function.binds:
        if target == "$while" and path:
            yield path.removesuffix("()").rpartition(".")[0] if path.endswith("()") else path
    for call in function.calls:
        owner, _, method = call.func.rpartition(".")
        if owner and (method in ASKS or method in TAKES):
            yield owner


def _tells(call: CallFact, spelled: str) -> bool:
    owner, _, method = call.func.rpartition(".")
    if owner != spelled:
        return False
    return method in TELLS or (method in SENDS and call.args[:1] == ("=None",))


def _given(function: FunctionFact, path: str) -> bool:
    return any(param.name == path for param in function.params)
