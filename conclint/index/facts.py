"""What the index remembers of one file: plain tuples, no tree.

An expression is remembered as a *path*: its text reduced to what decides its meaning.

    threading.Thread     names and attributes           $list $dict $set $tuple $const    a literal's type
    f()                  what a call returns             $lambda:3:9    the lambda that begins at line 3, column 9
    d[]   d[*]           an item; what iteration yields  t.0            the first field of a tuple
    :queue.Queue         an instance of the class (from an annotation)   "" nothing that can be followed
    =True  =4            a small constant, in arguments and for `daemon` only

Among what a function binds, `$return.0` and `$yield` stand for parts of what it gives, and `$while` for what its
loops ask each time round ("": they run for ever).

Lines and columns count from 1; columns count characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Final, NamedTuple


class Use:
    """How a call stands in its function: bits of a plain `int`, which costs a tenth of an IntFlag."""

    NONE: Final = 0
    LOOP: Final = 1  # inside a loop or comprehension of this function
    AWAITED: Final = 2
    WITH: Final = 4  # the manager of a `with` item
    DROPPED: Final = 8  # the whole statement: nobody looks at the result
    DECORATOR: Final = 16
    GUARDED: Final = 32  # below `if __name__ == "__main__":`
    SHORT: Final = 64  # every loop around it runs over a short literal
    BRANCH: Final = 128  # below an `if`, `except` or conditional expression
    WHILE: Final = 256  # inside a `while` loop of this function, its test included


class Touch:
    """What a function does to a name or attribute, as far as syntax tells: bits of a plain `int`."""

    READ: Final = 1
    WRITE: Final = 2  # rebinds it
    ITEM: Final = 4  # sets or deletes an item of it
    AUGMENTED: Final = 8  # reads and writes it in one statement


class Kind:
    """What kind of code a function is: bits of a plain `int`, which costs a tenth of an IntFlag."""

    FUNCTION: Final = 1
    ASYNC: Final = 2
    LAMBDA: Final = 4
    MODULE: Final = 8
    GENERATOR: Final = 16


class CallFact(NamedTuple):
    """One call: what is called, with what, and where the result goes (`goes`: target paths, `$return`, `$arg`, …)."""

    func: str
    line: int
    column: int
    args: tuple[str, ...]
    keywords: tuple[tuple[str, str], ...]
    use: int
    goes: tuple[str, ...]


class ParamFact(NamedTuple):
    """One parameter; `kind` is "" for an ordinary one, "*" or "**" for a collecting one."""

    name: str
    kind: str
    default: str


class FunctionFact(NamedTuple):
    """One function, lambda or module body.  `owner` is the class whose method it is."""

    qualname: str
    kind: int
    owner: str
    line: int
    end_line: int
    params: tuple[ParamFact, ...]
    decorators: tuple[str, ...]
    globals: tuple[str, ...]
    nonlocals: tuple[str, ...]
    binds: tuple[tuple[str, str], ...]
    calls: tuple[CallFact, ...]
    touches: tuple[tuple[str, int, int], ...]  # path, Touch bits, first line
    returns: tuple[str, ...]
    work: int  # arithmetic, comparisons and subscripts inside loops that may run long
    depth: int  # how deep such loops nest

    @property
    def enclosing(self) -> str:
        """The qualified name of the scope around it ("" for the module)."""
        return self.qualname.rpartition(".")[0]

    @property
    def name(self) -> str:
        return self.qualname.rpartition(".")[2].partition("#")[0]


class ClassFact(NamedTuple):
    """One class: bases as paths, methods as (name, function), class-level binds as (attribute, path)."""

    qualname: str
    line: int
    end_line: int
    bases: tuple[str, ...]
    decorators: tuple[str, ...]
    methods: tuple[tuple[str, str], ...]
    binds: tuple[tuple[str, str], ...]


class ImportFact(NamedTuple):
    """`name` means `target` (dots in front: relative) in the scope `scope`; name "*" is a star import."""

    scope: str
    name: str
    target: str


class Header(NamedTuple):
    """The part of a file's index that is read for every file."""

    error: tuple[int, int, str] | None
    called: frozenset[str]  # last names of everything called
    touched: frozenset[str]  # last names of everything that is changed after it was made
    imports: tuple[ImportFact, ...]
    classes: tuple[tuple[str, tuple[str, ...]], ...]  # qualified name, bases as paths


# Where the parts of a stored function stand in its row.
BINDS, CALLS, TOUCHES, RETURNS = (FunctionFact._fields.index(name) for name in ("binds", "calls", "touches", "returns"))

HEAD = re.compile(r"\w*")


class Functions(Mapping[str, FunctionFact]):
    """A file's functions by qualified name, unfolded from their stored rows one by one: most are never asked for."""

    def __init__(self, rows: dict[str, list[Any]]) -> None:
        self._rows = rows
        self._unfolded: dict[str, FunctionFact] = {}

    def __getitem__(self, qualname: str) -> FunctionFact:
        found = self._unfolded.get(qualname)
        if found is None:
            found = self._unfolded[qualname] = _function(self._rows[qualname])
        return found

    @cached_property
    def calls_by_name(self) -> dict[str, list[tuple[str, int]]]:
        """By the last name of what is called: the function and the number of its call; nothing is unfolded for it."""
        found: dict[str, list[tuple[str, int]]] = {}
        for qualname, row in self._rows.items():
            for number, call in enumerate(row[CALLS]):
                found.setdefault(call[0].rpartition(".")[2], []).append((qualname, number))
        return found

    @cached_property
    def by_head(self) -> dict[str, list[str]]:
        """By the first name of any path in it: the functions that mention the name; nothing is unfolded for it."""
        found: dict[str, list[str]] = {}
        for qualname, row in self._rows.items():
            for head in _heads(row):
                found.setdefault(head, []).append(qualname)
        return found

    def touching(self, name: str) -> dict[str, list[str]]:
        """The functions that touch a path whose last name it is, with those paths."""
        return self._touching.get(name, {})

    @cached_property
    def _touching(self) -> dict[str, dict[str, list[str]]]:
        found: dict[str, dict[str, list[str]]] = {}
        for qualname, row in self._rows.items():
            for path, _, _ in row[TOUCHES]:
                found.setdefault(path.rpartition(".")[2], {}).setdefault(qualname, []).append(path)
        return found

    @cached_property
    def within(self) -> dict[str, list[str]]:
        """By the name of a function or class: the functions inside it, at any depth."""
        found: dict[str, list[str]] = {}
        for qualname in self._rows:
            outer = qualname.rpartition(".")[0]
            while outer:
                found.setdefault(outer, []).append(qualname)
                outer = outer.rpartition(".")[0]
        return found

    def __contains__(self, qualname: object) -> bool:
        return qualname in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


class RegionFact(NamedTuple):
    """A run of top-level statements, or one definition: first and last line.

    A class is cut further, since it may be long: `always` are the lines without which its `parts` (first and last line
    of each method) mean little: its head, its plain statements, its constructor.
    """

    first: int
    last: int
    always: tuple[tuple[int, int], ...]
    parts: tuple[tuple[int, int], ...]


class Body(NamedTuple):
    """The rest of a file's index, read when the program looks into the file."""

    functions: Functions
    classes: dict[str, ClassFact]
    regions: tuple[RegionFact, ...]


def _heads(row: list[Any]) -> set[str]:
    """The first names of everything that a stored function binds, calls, passes, touches or returns."""
    paths = {path for path, _, _ in row[TOUCHES]}
    for target, path in row[BINDS]:
        paths.add(target)
        paths.add(path)
    for call in row[CALLS]:
        paths.add(call[0])
        paths.update(call[3])
        paths.update(path for _, path in call[4])
    paths.update(row[RETURNS])
    return {found.group() for path in paths if (found := HEAD.match(path)) is not None}


def _function(row: list[Any]) -> FunctionFact:
    return FunctionFact._make(
        [
            *row[:5],
            tuple(ParamFact._make(one) for one in row[5]),
            *map(tuple, row[6:9]),
            tuple((target, path) for target, path in row[9]),
            tuple(_call(one) for one in row[10]),
            tuple((path, bits, line) for path, bits, line in row[11]),
            tuple(row[12]),
            *row[13:],
        ]
    )


def _call(row: list[Any]) -> CallFact:
    func, line, column, args, keywords, use, goes = row
    return CallFact(func, line, column, tuple(args), tuple((word, path) for word, path in keywords), use, tuple(goes))


def class_fact(row: list[Any]) -> ClassFact:
    """A class from its stored row."""
    pairs = (tuple((name, value) for name, value in one) for one in row[5:])
    return ClassFact._make([*row[:3], *map(tuple, row[3:5]), *pairs])
