"""The edit that turns `pool = Pool()` and what follows into `with Pool() as pool:`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import libcst as cst

from conclint.model import Edit, Fix, Safety, Span
from conclint.source.edits import indent_unit, lines_of, shifted
from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.source.source import Source

# These wait for all results; those of the others are still to come, and the end of the block would cut them off.
WAITING = frozenset({"map", "starmap", "apply"})

CONSUMERS = frozenset({"list", "sorted", "set", "frozenset", "tuple", "dict", "sum", "max", "min", "join"})


def into_with(source: Source, call: cst.Call, *, waits: bool) -> Fix | None:
    """The fix that gives the pool that `call` makes a `with` block.

    `waits`: the end of the block waits for what is under way; otherwise it ends it, so all results must be collected
    inside.  None where the pool is not a local of one block.
    """
    statement = source.statement(call)
    assign = source.parent(call)
    if isinstance(assign, cst.Assign) and isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1:
        return _assigned(source, call, assign, statement, waits=waits)
    return _inline(source, call, statement, waits=waits)


def _assigned(
    source: Source, call: cst.Call, assign: cst.Assign, statement: cst.SimpleStatementLine, *, waits: bool
) -> Fix | None:
    target = assign.targets[0].target
    block = source.parent(statement)
    if len(assign.targets) != 1 or not isinstance(target, cst.Name) or not isinstance(block, cst.IndentedBlock):
        return None
    following = list(block.body)[list(block.body).index(statement) + 1 :]
    rest = _needed(source, target, following, waits=waits)
    if not rest or not _all_uses_in(source, target, rest) or not (waits or _collected(source, target.value, rest)):
        return None
    first = lines_of(source, statement, statement)
    span = Span(first.line, 1, *_end(lines_of(source, rest[0], rest[-1])))
    between = source.text.lines[first.end_line : lines_of(source, rest[0], rest[0]).line - 1]
    unit = indent_unit(source, statement)
    comment = _comment(source, statement)
    header = f"{source.indent(statement)}with {source.code(call)} as {target.value}:{comment}"
    comments = (unit + line if line.strip() else line for line in between)
    lines = [header, *comments, shifted(source, rest[0], rest[-1], unit)]
    return Fix(f"`with` around the use of `{target.value}`", (Edit(span, "\n".join(lines)),), Safety.UNSAFE)


def _inline(source: Source, call: cst.Call, statement: cst.CSTNode, *, waits: bool) -> Fix | None:
    """`return Pool().map(f, xs)`."""
    span, at = lines_of(source, statement, statement), source.span(call)
    if not isinstance(statement, cst.SimpleStatementLine) or span.line != span.end_line or len(statement.body) != 1:
        return None
    line = source.text.lines[span.line - 1]
    if "pool" in line or source.loop(call) is not None or not (waits or _waits(source, call)):
        return None
    indent = source.indent(statement)
    used = line[len(indent) : at.column - 1] + "pool" + line[at.end_column - 1 :]
    text = f"{indent}with {source.code(call)} as pool:\n{indent}{indent_unit(source, statement)}{used}"
    return Fix("`with` around the use of the pool", (Edit(span, text),), Safety.UNSAFE)


def _end(span: Span) -> tuple[int, int]:
    return span.end_line, span.end_column


def _comment(source: Source, statement: cst.SimpleStatementLine) -> str:
    comment = statement.trailing_whitespace.comment
    return f"  {comment.value}" if comment is not None else ""


def _needed(
    source: Source, target: cst.Name, following: Sequence[cst.BaseStatement], *, waits: bool
) -> list[cst.BaseStatement]:
    """The statements up to the last that uses the pool; where its end cuts results off, what is made of it too."""
    names = {target.value}
    last = -1
    for number, statement in enumerate(following):
        used = {part.value for part in below(statement) if isinstance(part, cst.Name)}
        if used & names:
            last = number
            names |= set(_bound(statement)) if target.value in used and not waits else set()
    return list(following[: last + 1])


def _bound(statement: cst.CSTNode) -> Iterator[str]:
    for part in below(statement):
        if isinstance(part, cst.Assign):
            for one in part.targets:
                yield from (name.value for name in below(one.target) if isinstance(name, cst.Name))


def _all_uses_in(source: Source, target: cst.Name, rest: Sequence[cst.BaseStatement]) -> bool:
    """Whether the name means the pool everywhere in its function, and is used in `rest` only."""
    inside = {part for statement in rest for part in below(statement)}
    function = source.function_node(target)
    for name in source.all(cst.Name):
        if name.value == target.value and name is not target and source.function_node(name) is function:
            outer = source.parent(name)
            attribute = isinstance(outer, cst.Attribute) and outer.attr is name
            keyword = isinstance(outer, cst.Arg) and outer.keyword is name
            if not attribute and not keyword and (name not in inside or isinstance(outer, cst.AssignTarget)):
                return False
    return True


def _collected(source: Source, pool: str, rest: Sequence[cst.BaseStatement]) -> bool:
    """Whether all results surely arrive before the block ends."""
    parts = [part for statement in rest for part in below(statement)]
    calls = [part for part in parts if isinstance(part, cst.Call) and isinstance(part.func, cst.Attribute)]
    gets = any(isinstance(one.func, cst.Attribute) and one.func.attr.value in ("get", "wait") for one in calls)
    return all(
        _waits(source, one.func.value) or _consumed(source, one) or (gets and one.func.attr.value.endswith("_async"))
        for one in calls
        if isinstance(one.func, cst.Attribute) and isinstance(one.func.value, cst.Name) and one.func.value.value == pool
    )


def _waits(source: Source, pool: cst.CSTNode) -> bool:
    """Whether a method is called on the pool that comes back with the results."""
    attribute = source.parent(pool)
    return isinstance(attribute, cst.Attribute) and attribute.attr.value in WAITING


def _consumed(source: Source, call: cst.Call) -> bool:
    """Whether the iterator that the call gives is run to its end on the spot, or by a name that is."""
    outer = source.parent(call)
    if isinstance(outer, (cst.For, cst.CompFor)):
        return outer.iter is call
    if isinstance(outer, cst.Arg):
        consumer = source.parent(outer)
        return isinstance(consumer, cst.Call) and _last(consumer.func) in CONSUMERS
    if isinstance(outer, cst.Assign) and isinstance(outer.targets[0].target, cst.Name):
        return _name_consumed(source, outer.targets[0].target)
    return False


def _name_consumed(source: Source, target: cst.Name) -> bool:
    function = source.function_node(target)
    uses = [
        name
        for name in source.all(cst.Name)
        if name.value == target.value and name is not target and source.function_node(name) is function
    ]
    for name in uses:
        outer = source.parent(name)
        taken = isinstance(outer, (cst.For, cst.CompFor)) and outer.iter is name
        consumer = source.parent(outer) if isinstance(outer, cst.Arg) else None
        if not taken and not (isinstance(consumer, cst.Call) and _last(consumer.func) in CONSUMERS):
            return False
    return bool(uses)


def _last(node: cst.BaseExpression) -> str:
    if isinstance(node, cst.Attribute):
        return node.attr.value
    return node.value if isinstance(node, cst.Name) else ""
