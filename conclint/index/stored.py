"""How facts are written and read back: lines of JSON, of which most are never read.

The first line is the header, the second what the file contains, the third to fifth tell where names occur; then every
function has a line of its own.  Whoever looks for a name finds the functions that mention it and unfolds only those.
"""

from __future__ import annotations

import json
import re
import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from sys import intern
from typing import Any, NamedTuple

from conclint.index.facts import (
    CallFact,
    ClassFact,
    DeclarationFact,
    FunctionFact,
    Header,
    ImportFact,
    Kind,
    ParamFact,
    RegionFact,
    WalkFact,
)

FIRST_NAMES = re.compile(r"^\w+", re.MULTILINE)

# The lines before the functions.
CONTENTS, CALLS, HEADS, TOUCHES, FIRST = 1, 2, 3, 4, 5

compact = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode


class Functions(Mapping[str, FunctionFact]):
    """A file's functions by qualified name, unfolded from their lines one by one."""

    def __init__(
        self,
        names: Sequence[str],
        lines: list[bytes],
        decorated: Mapping[str, list[int]],
        coroutines: Sequence[int],
        starts: Sequence[int],
    ) -> None:
        self._names = names
        self._lines = lines
        self._decorated = decorated
        self._coroutines = coroutines
        self._starts = starts
        self._places = {name: place for place, name in enumerate(names)}
        self._unfolded: dict[str, FunctionFact] = {}

    def __getitem__(self, qualname: str) -> FunctionFact:
        found = self._unfolded.get(qualname)
        if found is None:
            place = FIRST + self._places[qualname]
            found = self._unfolded[qualname] = _function(json.loads(self._lines[place]))
            self._lines[place] = b""  # not needed again
        return found

    def calling(self, name: str) -> Iterator[tuple[FunctionFact, CallFact]]:
        """The calls whose last name it is, each with its function."""
        places = map(int, self._calls.get(name, "").split())
        for place in places:
            function = self[self._names[place]]
            yield function, function.calls[next(places)]

    def count(self, name: str) -> int:
        """How many calls there are whose last name it is."""
        places = self._calls.get(name)
        return places.count(" ") // 2 + 1 if places else 0

    def decorated(self, name: str) -> Iterator[FunctionFact]:
        """The functions with a decorator whose last name it is, called or not."""
        return (self[self._names[place]] for place in self._decorated.get(name, ()))

    def coroutines(self) -> Iterator[FunctionFact]:
        """The functions that are `async`."""
        return (self[self._names[place]] for place in self._coroutines)

    def mentioning(self, head: str) -> Iterator[str]:
        """The functions in which some path begins with the name."""
        return (self._names[int(place)] for place in self._heads.get(head, "").split())

    def touching(self, name: str) -> Iterator[tuple[str, list[str]]]:
        """The functions that touch a path whose last name it is, with those paths."""
        for row in self._touches.get(name, "").split(";") if name in self._touches else ():
            place, *paths = row.split()
            yield self._names[int(place)], paths

    def within_lines(self, spans: Sequence[tuple[int, int]]) -> list[FunctionFact]:
        """The module's own code, and the functions that begin within the spans (first and last lines, in order)."""
        found = []
        for name, line in zip(self._names, self._starts, strict=True):
            place = bisect_right(spans, (line, sys.maxsize)) - 1
            if not name or (place >= 0 and line <= spans[place][1]):
                found.append(self[name])
        return found

    def naming(self, name: str) -> set[str]:
        """The functions that touch or call something whose last name it is, by qualified name."""
        touching = {qualname for qualname, _ in self.touching(name)}
        return touching.union(self._names[int(place)] for place in self._calls.get(name, "").split()[::2])

    @cached_property
    def _calls(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self._lines[CALLS])
        return found

    @cached_property
    def _heads(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self._lines[HEADS])
        return found

    @cached_property
    def _touches(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self._lines[TOUCHES])
        return found

    @cached_property
    def within(self) -> dict[str, list[str]]:
        """By the name of a function or class: the functions inside it, at any depth."""
        found: dict[str, list[str]] = {}
        for qualname in self._names:
            outer = qualname.rpartition(".")[0]
            while outer:
                found.setdefault(outer, []).append(qualname)
                outer = outer.rpartition(".")[0]
        return found

    def __contains__(self, qualname: object) -> bool:
        return qualname in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class Body(NamedTuple):
    """The rest of a file's index, read when the program looks into the file."""

    functions: Functions
    classes: dict[str, ClassFact]
    regions: tuple[RegionFact, ...]


def encode(
    header: Header, functions: Sequence[FunctionFact], classes: Iterable[ClassFact], regions: Iterable[RegionFact]
) -> bytes:
    """The facts of one file as bytes, the same for the same facts."""
    names = (sorted(header.called), sorted(header.touched))
    head = (header.error, *names, *header[3:])
    coroutines = [place for place, one in enumerate(functions) if one.kind & Kind.ASYNC]
    starts = [one.line for one in functions]
    names_of = [one.qualname for one in functions]
    contents = (names_of, list(classes), list(regions), _decorated(functions), coroutines, starts)
    lines = [head, contents, _calls(functions), _heads(functions), _touches(functions), *functions]
    return "\n".join(map(compact, lines)).encode("ascii")


def decode_header(blob: bytes) -> Header:
    """The header of encoded facts.  Raises ValueError when they are damaged."""
    error, called, touched, imports, classes, declared, walks = json.loads(blob.partition(b"\n")[0])
    return Header(
        None if error is None else (error[0], error[1], error[2]),
        frozenset(called),
        frozenset(touched),
        tuple(ImportFact(*one) for one in imports),
        tuple((name, tuple(bases)) for name, bases in classes),
        tuple(DeclarationFact._make([*one[:6], tuple(one[6]), *one[7:]]) for one in declared),
        tuple(map(WalkFact._make, walks)),
    )


def decode_body(blob: bytes) -> Body:
    """The body of encoded facts.  Raises ValueError when they are damaged."""
    lines = blob.split(b"\n")
    names, classes, regions, *places = json.loads(lines[CONTENTS])
    return Body(
        Functions(names, lines, *places),
        {row[0]: _class(row) for row in classes},
        tuple(RegionFact(first, last, _spans(always), _spans(parts)) for first, last, always, parts in regions),
    )


# -- where names occur


# As text, since most names are never asked for: read back as lists they would take ten times the room.


def _calls(functions: Iterable[FunctionFact]) -> dict[str, str]:
    """By last name: function and call in turn, as numbers."""
    found: dict[str, list[str]] = {}
    for place, function in enumerate(functions):
        for number, call in enumerate(function.calls):
            found.setdefault(call.func.rpartition(".")[2], []).append(f"{place} {number}")
    return {name: " ".join(rows) for name, rows in found.items()}


def _decorated(functions: Iterable[FunctionFact]) -> dict[str, list[int]]:
    """By the last names of decorators."""
    found: dict[str, list[int]] = {}
    for place, function in enumerate(functions):
        for name in sorted({path.removesuffix("()").rpartition(".")[2] for path in function.decorators}):
            found.setdefault(name, []).append(place)
    return found


def _heads(functions: Iterable[FunctionFact]) -> dict[str, str]:
    """By first name: the numbers of functions."""
    found: dict[str, list[str]] = {}
    for place, function in enumerate(functions):
        for head in sorted(set(FIRST_NAMES.findall("\n".join(_paths(function))))):
            found.setdefault(head, []).append(str(place))
    return {head: " ".join(places) for head, places in found.items()}


def _paths(function: FunctionFact) -> set[str]:
    """Everything that the function binds, calls, passes, touches or returns."""
    paths = {path for path, _, _ in function.touches}
    for target, path in function.binds:
        paths.add(target)
        paths.add(path)
    for call in function.calls:
        paths.add(call.func)
        paths.update(call.args)
        paths.update(path for _, path in call.keywords)
    paths.update(function.returns)
    return paths


def _touches(functions: Iterable[FunctionFact]) -> dict[str, str]:
    """By last name: for each function its number and the paths, `3 self.x other.x;5 x`."""
    found: dict[str, dict[int, list[str]]] = {}
    for place, function in enumerate(functions):
        for path, _, _ in function.touches:
            found.setdefault(path.rpartition(".")[2], {}).setdefault(place, [str(place)]).append(path)
    return {name: ";".join(map(" ".join, rows.values())) for name, rows in found.items()}


# -- rows


def _function(row: list[Any]) -> FunctionFact:
    return FunctionFact._make(
        [
            *row[:4],
            tuple(ParamFact._make(one) for one in row[4]),
            *map(tuple, row[5:8]),
            tuple((intern(target), intern(path)) for target, path in row[8]),
            tuple(_call(one) for one in row[9]),
            tuple((intern(path), bits, line) for path, bits, line in row[10]),
            tuple(row[11]),
            *row[12:],
        ]
    )


def _call(row: list[Any]) -> CallFact:
    func, line, column, args, keywords, use, goes = row
    given = tuple((intern(word), intern(path)) for word, path in keywords)
    return CallFact(intern(func), line, column, tuple(map(intern, args)), given, use, tuple(map(intern, goes)))


def _class(row: list[Any]) -> ClassFact:
    pairs = (tuple((name, value) for name, value in one) for one in row[4:])
    return ClassFact._make([*row[:2], *map(tuple, row[2:4]), *pairs])


def _spans(rows: list[list[int]]) -> tuple[tuple[int, int], ...]:
    return tuple((first, last) for first, last in rows)
