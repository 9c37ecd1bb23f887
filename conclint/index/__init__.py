"""The first map: one file's bytes become the facts that other files may need of it.

Coarse and fast, on the standard library's `ast`.  It knows nothing of lock scopes or rules; what needs
a close look is looked at by `source`, and only where `program` says that it matters.
"""

from __future__ import annotations

import ast
import json
import warnings
from collections.abc import Callable, Iterator

from conclint.index.facts import (
    Body,
    FunctionFact,
    Functions,
    Header,
    ImportFact,
    Kind,
    RegionFact,
    Touch,
    class_fact,
)
from conclint.index.shape import regions
from conclint.index.walk import Walk
from conclint.knowledge.containers import MUTATORS
from conclint.text import Text, Unreadable, decode

NOTHING = Walk(lambda line, offset: offset + 1)
CHANGING = frozenset(method for methods in MUTATORS.values() for method in methods)
CHANGES = Touch.WRITE | Touch.ITEM


def index(path: str, data: bytes) -> bytes:
    """The encoded facts of the file; one that cannot be read has an `error` (line, column, message) in its header."""
    try:
        text = decode(data)
        return _encode(*_facts(text, path))
    except Unreadable as broken:
        return _encode(_broken(broken.line, broken.column, broken.message), NOTHING, [])
    except (RecursionError, MemoryError):
        return _encode(_broken(1, 1, "nested too deeply to be parsed"), NOTHING, [])


def _facts(text: Text, path: str) -> tuple[Header, Walk, list[RegionFact]]:
    tree = _parse(text, path)
    walk = Walk(_columns(text))
    walk.module(tree, len(text.lines))
    functions = walk.functions.values()
    called = frozenset(call.func.rpartition(".")[2] for function in functions for call in function.calls)
    touched = frozenset(name for function in functions for name in _changed(function))
    classes = tuple((one.qualname, one.bases) for one in walk.classes.values())
    header = Header(None, called, touched, tuple(walk.imports), classes)
    return header, walk, regions(tree)


def _changed(function: FunctionFact) -> Iterator[str]:
    """The last names of what the function changes; making does not count: globals at import, `self.x` in `__init__`."""
    made = "" if function.kind & Kind.MODULE else "self." if function.name == "__init__" else None
    for path, bits, _ in function.touches:
        owner, _, name = path.rpartition(".")
        if bits & CHANGES and (made is None or owner + "." * bool(owner) != made):
            yield name
    for call in function.calls:
        owner, _, method = call.func.rpartition(".")
        if method in CHANGING:
            yield owner.rpartition(".")[2]


def _parse(text: Text, path: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes are another linter's business
            return ast.parse(text.text, path)
    except SyntaxError as error:
        raise Unreadable(error.lineno or 1, max(error.offset or 1, 1), error.msg) from error
    except ValueError as error:
        raise Unreadable(1, 1, str(error)) from error


def _columns(text: Text) -> Callable[[int, int], int]:
    """Turns a line and ast's byte offset in it into a column."""
    if text.text.isascii():
        return lambda line, offset: offset + 1
    lines = text.lines

    def column(line: int, offset: int) -> int:
        content = lines[line - 1] if line <= len(lines) else ""
        return len(content.encode("utf-8", "surrogatepass")[:offset].decode("utf-8", "replace")) + 1

    return column


def _broken(line: int, column: int, message: str) -> Header:
    return Header((line, column, message), frozenset(), frozenset(), (), ())


def _encode(header: Header, walk: Walk, cut: list[RegionFact]) -> bytes:
    head = (header.error, sorted(header.called), sorted(header.touched), header.imports, header.classes)
    rest = (list(walk.functions.values()), list(walk.classes.values()), cut)
    compact = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode
    return f"{compact(head)}\n{compact(rest)}".encode("ascii")


def decode_header(blob: bytes) -> Header:
    """The header of an encoded index.  Raises ValueError when the blob is damaged."""
    error, called, touched, imports, classes = json.loads(blob[: blob.index(b"\n")])
    return Header(
        None if error is None else (error[0], error[1], error[2]),
        frozenset(called),
        frozenset(touched),
        tuple(ImportFact(*one) for one in imports),
        tuple((name, tuple(bases)) for name, bases in classes),
    )


def decode_body(blob: bytes) -> Body:
    """The body of an encoded index; its functions are unfolded one by one as they are asked for.

    Raises ValueError when the blob is damaged.
    """
    functions, classes, cut = json.loads(blob[blob.index(b"\n") :])
    return Body(
        Functions({row[0]: row for row in functions}),
        {row[0]: class_fact(row) for row in classes},
        tuple(RegionFact(first, last, _lines(always), _lines(parts)) for first, last, always, parts in cut),
    )


def _lines(rows: list[list[int]]) -> tuple[tuple[int, int], ...]:
    return tuple((first, last) for first, last in rows)
