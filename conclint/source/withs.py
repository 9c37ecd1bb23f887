"""The edit that turns `pool = Pool()` and what follows into `with Pool() as pool:`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.starting import WAITING
from conclint.model import Edit, Fix, Safety, Span
from conclint.source.edits import indent_unit, lines_of, shifted, written
from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.source.source import Source

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
    rest = _needed(source, target, following)
    if not rest or not _all_uses_in(source, target, rest) or not (waits or _collected(source, target.value, rest)):
        return None
    first = lines_of(source, statement, statement)
    span = Span(first.line, 1, *_end(lines_of(source, rest[0], rest[-1])))
    between = source.text.lines[first.end_line : lines_of(source, rest[0], rest[0]).line - 1]
    unit = indent_unit(source, statement)
    comment = _comment(source, statement)
    header = f"{source.indent(statement)}with {written(source, call)} as {target.value}:{comment}"
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


def _needed(source: Source, target: cst.Name, following: Sequence[cst.BaseStatement]) -> list[cst.BaseStatement]:
    """The statements up to the last that uses the pool, or results of it that are still to come."""
    names = {target.value}
    last = -1
    for number, statement in enumerate(following):
        used = {part.value for part in below(statement) if isinstance(part, cst.Name)}
        if used & names:
            last = number
            names |= set(_bound(statement)) if _to_come(source, target.value, statement) else set()
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
    methods = [_last(part.func) for statement in rest for part in below(statement) if isinstance(part, cst.Call)]
    gets = "get" in methods or "wait" in methods
    return all(
        method in WAITING or _consumed(source, call) or (gets and method.endswith("_async"))
        for statement in rest
        for method, call in _calls_of(pool, statement)
    )


def _to_come(source: Source, pool: str, statement: cst.BaseStatement) -> bool:
    """Whether the statement asks the pool for results that it does not wait for itself."""
    # The results of the others are still to come: the end of the block would cut them off.
    return any(method not in WAITING and not _taken(source, call) for method, call in _calls_of(pool, statement))


def _calls_of(pool: str, statement: cst.BaseStatement) -> Iterator[tuple[str, cst.Call]]:
    """The methods called on the pool."""
    for part in below(statement):
        if isinstance(part, cst.Call) and isinstance(part.func, cst.Attribute):
            owner = part.func.value
            if isinstance(owner, cst.Name) and owner.value == pool:
                yield part.func.attr.value, part


def _waits(source: Source, pool: cst.CSTNode) -> bool:
    """Whether the method that is called on the pool, just made, comes back with all results."""
    attribute = source.parent(pool)
    results = source.parent(attribute) if isinstance(attribute, cst.Attribute) else None
    if not isinstance(attribute, cst.Attribute) or results is None:
        return False
    return attribute.attr.value in WAITING or _taken(source, results)


def _taken(source: Source, results: cst.CSTNode) -> bool:
    """Whether an iterator is run to its end where it stands."""
    outer = source.parent(results)
    if isinstance(outer, (cst.For, cst.CompFor)):
        return outer.iter is results
    consumer = source.parent(outer) if isinstance(outer, cst.Arg) else None
    return isinstance(consumer, cst.Call) and _last(consumer.func) in CONSUMERS


def _consumed(source: Source, call: cst.Call) -> bool:
    """Whether the iterator that the call gives is run to its end on the spot, or by a name that is."""
    if _taken(source, call):
        return True
    outer = source.parent(call)
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
    return bool(uses) and all(_taken(source, name) for name in uses)


def _last(node: cst.BaseExpression) -> str:
    if isinstance(node, cst.Attribute):
        return node.attr.value
    return node.value if isinstance(node, cst.Name) else ""
