"""Processes that are joined before the queue is emptied into which they put."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from conclint.knowledge.lives import PROCESS
from conclint.model import Edit, Fix, Safety
from conclint.source.edits import lines_of
from conclint.source.jobs import packed
from conclint.source.makers import makers
from conclint.source.paths import path_of
from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.source.makers import Maker
    from conclint.source.source import Source
    from conclint.source.tree import Function

QUEUE = "multiprocessing.Queue"
CANCEL = "cancel_join_thread"
FUNCTION = re.compile(r"^\s*(?:async\s+)?def ", re.MULTILINE)
GETS = frozenset({"get", "get_nowait"})
PUTS = frozenset({"put", "put_nowait"})


class Drain(NamedTuple):
    """A `get` from a queue behind a `join`."""

    join: cst.Call
    get: cst.Call
    queue: str


def late_gets(source: Source) -> Iterator[Drain]:
    """Each such `join` once, in the function that makes the process, or in another method of its object."""
    seen: set[int] = set()
    for made in makers(source):
        for queue in _queues(source, made) if made.kind == PROCESS and not _let_go(source, made) else ():
            path = path_of(queue)
            for function, begin in _where(source, made, path):
                drain = _late(source, function, begin, path)
                if drain is not None and id(drain.join) not in seen:
                    seen.add(id(drain.join))
                    yield drain


def _let_go(source: Source, made: Maker) -> bool:
    """Whether the child, or who makes it, ends without its items: `queue.cancel_join_thread()`."""
    text, target = source.text.text, made.given("target")
    if CANCEL not in text:
        return False
    around = source.function_node(made.call)
    names = [path_of(target.value).rpartition(".")[2] if target is not None else "run"]
    names += [around.name.value] if isinstance(around, cst.FunctionDef) else []
    bodies = [part for part in FUNCTION.split(text) if CANCEL in part]
    return not all(names) or any(
        part.lstrip().startswith((f"{name}(", f"{name}[")) for part in bodies for name in names
    )


def _where(source: Source, made: Maker, queue: str) -> Iterator[tuple[Function | None, int]]:
    """The functions to look at, and where in them the process is made."""
    home = source.function_node(made.call)
    yield home, source.sequence(made.call)
    cls = source.nearest(made.call, cst.ClassDef)
    if cls is None or not queue.startswith("self.") or _fills(source, cls, queue):
        return
    for function in source.all(cst.FunctionDef):
        if function is not home and source.nearest(function, cst.ClassDef) is cls:
            yield function, -1


def _fills(source: Source, cls: cst.ClassDef, queue: str) -> bool:
    """Whether the class itself puts items into it; by its text, since not all of it needs to be parsed."""
    first = source.line(cls.name)
    margin = len(source.text.lines[first - 1]) - len(source.text.lines[first - 1].lstrip())
    for line in source.text.lines[first:]:
        if line.strip() and len(line) - len(line.lstrip()) <= margin:
            return False
        if f"{queue}.put" in line:
            return True
    return False


def _queues(source: Source, made: Maker) -> Iterator[cst.BaseExpression]:
    """The queues that the process is given, or finds in its module."""
    given = [made.given("args"), made.given("kwargs")]
    items = [item for arg in given if arg is not None for item in packed(arg.value)]
    if made.own:
        items += [arg.value for arg in made.call.args]
    for item in (*items, *_filled(source, made)):
        types = source.types(item)
        if QUEUE in types and not any(name.startswith("multiprocessing.managers.") for name in types):
            yield item


def _filled(source: Source, made: Maker) -> Iterator[cst.BaseExpression]:
    """The queues of the module into which the process puts."""
    target = made.given("target")
    functions = source.named(target.value).functions if target is not None else ()
    for call in source.all(cst.Call) if functions else ():
        if isinstance(call.func, cst.Attribute) and call.func.attr.value in PUTS:
            store = source.named(call.func.value).store
            if store is not None and store.sort == "global" and source.identity(call) in functions:
                yield call.func.value


def _late(source: Source, function: Function | None, begin: int, queue: str) -> Drain | None:
    """The first `join` of a process behind the start, and the `get` behind it, where none comes before."""
    joins: list[cst.Call] = []
    gets: list[cst.Call] = []
    for call in source.all(cst.Call):
        if source.function_node(call) is not function or not isinstance(call.func, cst.Attribute):
            continue
        name, owner = call.func.attr.value, path_of(call.func.value)
        if owner == queue and name in PUTS:
            return None  # it is this function that fills it
        if source.sequence(call) > begin and name == "join" and not call.args:
            joins += [call] if PROCESS in source.types(call.func.value) else []
        elif owner == queue and name in GETS:
            gets.append(call)
    if not joins or not gets or _given_away(source, function, queue):
        return None
    first = min(gets, key=source.sequence)
    alone = source.sequence(first) > source.sequence(joins[0]) and not _together(source, joins[0], first)
    return Drain(joins[0], first, queue) if alone else None


def _together(source: Source, join: cst.Call, get: cst.Call) -> bool:
    """Whether both stand in one loop, or on two ways of which only one is taken."""
    around = list(source.ancestors(get))
    for outer in source.ancestors(join):
        if outer in around:
            child = next((one for one in source.ancestors(join) if source.parent(one) is outer), join)
            return isinstance(outer, cst.If) and child is not outer.test
        if isinstance(outer, (cst.If, cst.ExceptHandler)):
            return True  # joined on one way only
    return False


def _given_away(source: Source, function: Function | None, queue: str) -> bool:
    """Whether somebody else may read it: a thread, a helper."""
    own = {id(part) for one in makers(source) if one.kind == PROCESS for part in below(one.call)}
    for arg in source.all(cst.Arg):
        inside = any(path_of(part) == queue for part in below(arg.value))
        if inside and id(arg) not in own and source.function_node(arg) is function:
            value = source.parent(arg)
            if not isinstance(value, cst.Call) or path_of(arg.value) == queue or _is_packed(arg.value):
                return True
    return False


def _is_packed(value: cst.BaseExpression) -> bool:
    return isinstance(value, (cst.Tuple, cst.List, cst.Dict, cst.Lambda))


def swapped(source: Source, drain: Drain) -> Fix | None:
    """The two statements the other way round, where each stands alone on a line and the one follows the other."""
    join, get = source.statement(drain.join), source.statement(drain.get)
    block = source.parent(join)
    if not isinstance(block, cst.IndentedBlock) or get not in block.body:
        return None
    statements = list(block.body)
    place = statements.index(join) if isinstance(join, cst.SimpleStatementLine) else -1
    plain = not drain.get.args and isinstance(get, cst.SimpleStatementLine)
    if plain and isinstance(get, cst.SimpleStatementLine) and isinstance(get.body[-1], cst.Return):
        return None  # nobody would come to the join
    if place < 0 or not plain or statements[place + 1 :][:1] != [get]:
        return None
    one, other = source.span(join), source.span(get)
    lines = source.text.lines
    texts = (lines[one.line - 1][one.column - 1 :], lines[other.line - 1][other.column - 1 :])
    if not isinstance(source.parent(drain.join), cst.Expr) or one.line != one.end_line or other.line != one.line + 1:
        return None
    edits = (
        Edit(lines_of(source, join, join), source.indent(join) + texts[1]),
        Edit(lines_of(source, get, get), source.indent(get) + texts[0]),
    )
    return Fix("get before join", edits, Safety.SAFE) if other.line == other.end_line else None
