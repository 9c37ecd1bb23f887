"""The first map: one file's bytes become the facts that other files may need of it.

Coarse and fast, on the standard library's `ast`.  It knows nothing of lock scopes or rules; what needs
a close look is looked at by `source`, and only where `program` says that it matters.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Iterator

from conclint.index.declared import declarations
from conclint.index.facts import FunctionFact, Header, Kind, Touch
from conclint.index.scope import Scope
from conclint.index.shape import regions
from conclint.index.stored import decode_body, decode_header, encode
from conclint.index.walk import Walk
from conclint.index.walks import walks
from conclint.knowledge.containers import CHANGING, GIVEN_TO, UPSETTING
from conclint.text import Text, Unreadable, decode

__all__ = ["decode_body", "decode_header", "index"]

CHANGES = Touch.WRITE | Touch.ITEM


def index(path: str, data: bytes) -> bytes:
    """The encoded facts of the file; one that cannot be read has an `error` (line, column, message) in its header."""
    try:
        return _facts(data, path)
    except Unreadable as broken:
        return _broken(broken.line, broken.column, broken.message)
    except (RecursionError, MemoryError):
        return _broken(1, 1, "nested too deeply to be parsed")


def _facts(data: bytes, path: str) -> bytes:
    text = decode(data)
    tree = _parse(text, path)
    walk = Walk(_columns(text))
    walk.module(tree)
    functions = list(walk.functions.values())
    called = frozenset(call.func.rpartition(".")[2] for function in functions for call in function.calls)
    touched = frozenset(name for function in functions for name in _changed(function))
    classes = tuple((one.qualname, one.bases) for one in walk.classes.values())
    declared = declarations(data, text, tree, functions, walk.classes.values())
    walked = tuple(walks(functions))
    header = Header(None, called, touched, tuple(walk.imports), classes, declared, walked)
    return encode(header, functions, walk.classes.values(), regions(tree))


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
            name = owner.rpartition(".")[2]
            yield name.removesuffix("[]") if method in UPSETTING else name
        elif method in GIVEN_TO and call.args:
            yield call.args[0].rpartition(".")[2]


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


def _broken(line: int, column: int, message: str) -> bytes:
    module = Scope("", Kind.MODULE, "", ast.Pass()).fact()  # empty, but every file has one
    return encode(Header((line, column, message), frozenset(), frozenset(), (), ()), [module], [], [])
