"""What of a function mentions a variable or an attribute: so that a long function is not read anew for each handle."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from conclint.index.facts import CallFact, FunctionFact

# Taking an item out of a container, and views of a container: the items are the same.
TAKEN = re.compile(r"\.(pop|popleft|popitem|get|setdefault)\(\)")
VIEWED = re.compile(r"\.(values|copy|items|__iter__)\(\)")
NESTED = re.compile(r"(\[\])+")

# A field of a tuple, an item as well.
FIELD = re.compile(r"\.\d+")

# A path's first name, and its second: what two paths share if one begins with the other.
BEGINNING = re.compile(r"([^.\[(]+)(?:\.[^\d.\[(][^.\[(]*)?")


@lru_cache(maxsize=65536)
def plain(path: str) -> str:
    """A path in which items are items, however they are reached."""
    if "[*]" in path:
        path = path.replace("[*]", "[]")
    if "()" in path:
        path = VIEWED.sub("", TAKEN.sub("[]", path))
    return NESTED.sub("[]", path)


class Part(NamedTuple):
    """Calls, binds, returns and touches of a function, each in its order."""

    calls: tuple[CallFact, ...]
    binds: tuple[tuple[str, str], ...]
    returns: tuple[str, ...]
    touches: tuple[tuple[str, int, int], ...]


class Mentions:
    """One function's facts by how the paths in them begin."""

    def __init__(self, function: FunctionFact) -> None:
        self._function = function
        self._calls = _places((call.func, *call.args, *(path for _, path in call.keywords)) for call in function.calls)
        self._binds = _places(function.binds)
        self._returns = _places((path,) for path in function.returns)
        self._touches = _places((path,) for path, _, _ in function.touches)
        self._starred = {place for place, call in enumerate(function.calls) if "*" in call.args}

    def of(self, spelled: str) -> Part:
        """Everything that may mention the plain path `spelled`, or a container of it, and no more than necessary."""
        found = BEGINNING.match(spelled)
        key = found.group() if found is not None else ""
        places = self._calls.get(key, [])
        if spelled.endswith("[]") and self._starred:
            places = sorted(self._starred.union(places))
        function = self._function
        return Part(
            tuple(function.calls[place] for place in places),
            tuple(function.binds[place] for place in self._binds.get(key, ())),
            tuple(function.returns[place] for place in self._returns.get(key, ())),
            tuple(function.touches[place] for place in self._touches.get(key, ())),
        )


def _places(facts: Iterable[Iterable[str]]) -> dict[str, list[int]]:
    """The numbers of the facts by the beginnings of the paths in them."""
    found: dict[str, list[int]] = {}
    for place, paths in enumerate(facts):
        for key in dict.fromkeys(key for path in paths for key in _beginnings(path)):
            found.setdefault(key, []).append(place)
    return found


def _beginnings(path: str) -> Iterator[str]:
    match = BEGINNING.match(plain(path))
    if match is not None:
        yield match.group(1)
        yield match.group()
