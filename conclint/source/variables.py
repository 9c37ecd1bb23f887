"""Local variables of one function: where they are mentioned, and whether anybody reads them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.source.source import Source

ADDING = frozenset({"append", "add", "appendleft", "extend", "insert"})

EMPTY = frozenset({"list", "dict", "set", "deque", "defaultdict"})


def mentions(source: Source, name: cst.Name) -> Iterator[cst.Name]:
    """Every other mention of a variable in its function, functions inside included."""
    function = source.function_node(name)
    for node in below(function) if function is not None else ():
        if isinstance(node, cst.Name) and node.value == name.value and node is not name and _is_variable(source, node):
            yield node


def reads(source: Source, name: cst.Name) -> list[cst.Name]:
    """The mentions that may read what is bound at `name`; where others may have it too, `name` itself."""
    found = list(mentions(source, name))
    if source.function_node(name) is None or any(_declared(source, one) for one in found):
        return [name]
    bound = [one for one in found if is_target(source, one)]
    read = (one for one in found if not is_target(source, one))
    return [one for one in read if _reaches(source, name, one, bound)]


def _reaches(source: Source, name: cst.Name, read: cst.Name, bound: list[cst.Name]) -> bool:
    """Whether the read may come behind the binding, with no other binding surely in between."""
    if source.function_node(read) is not source.function_node(name):
        return True
    if source.sequence(read) < source.sequence(name):
        return source.loop(name) is not None
    between = (one for one in bound if source.sequence(name) < source.sequence(one) < source.sequence(read))
    return not any(_surely_before(source, one, read) for one in between)


def _surely_before(source: Source, binding: cst.Name, read: cst.Name) -> bool:
    """Whether whoever comes to the read came by the binding: it stands in a block around the read."""
    statement = source.statement(binding)
    around = list(source.ancestors(read))
    if isinstance(statement, cst.For):
        return statement.body in around
    if isinstance(statement, (cst.SimpleStatementLine, cst.With)):
        return statement not in around[:1] and source.parent(statement) in around
    return False


def is_target(source: Source, node: cst.CSTNode) -> bool:
    """Whether a name (or a part of a tuple of names) is assigned to there."""
    outer = source.parent(node)
    while isinstance(outer, (cst.Element, cst.Tuple, cst.List, cst.StarredElement)):
        node, outer = outer, source.parent(outer)
    if isinstance(outer, (cst.For, cst.CompFor, cst.AnnAssign, cst.NamedExpr)):
        return outer.target is node
    return isinstance(outer, (cst.AssignTarget, cst.Param, cst.AsName, cst.NameItem))


def bound_to(source: Source, value: cst.CSTNode) -> cst.Name | None:
    """The one name that an expression is assigned to as a whole."""
    outer = source.parent(value)
    if isinstance(outer, cst.Await):
        return bound_to(source, outer)
    if isinstance(outer, (cst.AnnAssign, cst.NamedExpr)) and outer.value is value:
        return outer.target if isinstance(outer.target, cst.Name) else None
    if isinstance(outer, cst.Assign) and len(outer.targets) == 1:
        target = outer.targets[0].target
        return target if isinstance(target, cst.Name) else None
    return None


def added_to(source: Source, value: cst.CSTNode) -> cst.Name | None:
    """The local container to which a value is added: `xs.append(value)`, `xs[k] = value`, `xs = [value for …]`."""
    outer = source.parent(value)
    call = source.parent(outer) if isinstance(outer, cst.Arg) else None
    if isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute) and call.func.attr.value in ADDING:
        return call.func.value if isinstance(call.func.value, cst.Name) else None
    if isinstance(outer, (cst.ListComp, cst.SetComp)) and outer.elt is value:
        return bound_to(source, outer)
    if isinstance(outer, cst.DictComp):
        return bound_to(source, outer)
    if isinstance(outer, cst.Assign) and len(outer.targets) == 1:
        target = outer.targets[0].target
        if isinstance(target, cst.Subscript) and isinstance(target.value, cst.Name):
            return target.value
    return None


def made_empty(source: Source, name: cst.Name) -> bool:
    """Whether all that the variable ever is in its function is a container made there, empty."""
    places = [source.parent(one) for one in (name, *mentions(source, name)) if is_target(source, one)]
    statements = [source.parent(one) if isinstance(one, cst.AssignTarget) else one for one in places]
    made = [one.value for one in statements if isinstance(one, (cst.Assign, cst.AnnAssign))]
    return bool(made) and len(made) == len(statements) and all(map(_is_empty, made))


def _is_empty(value: cst.BaseExpression | None) -> bool:
    if isinstance(value, (cst.List, cst.Set, cst.Dict)):
        return not value.elements
    return isinstance(value, cst.Call) and isinstance(value.func, cst.Name) and value.func.value in EMPTY


def only_fills(source: Source, name: cst.Name) -> bool:
    """Whether the mention of a container only puts something into it: `xs.append(…)`, `xs[k] = …`."""
    outer = source.parent(name)
    if isinstance(outer, cst.Attribute) and outer.attr.value in ADDING:
        call = source.parent(outer)
        return isinstance(call, cst.Call) and isinstance(source.parent(call), cst.Expr)
    return isinstance(outer, cst.Subscript) and outer.value is name and is_target(source, outer)


def _is_variable(source: Source, node: cst.Name) -> bool:
    """Not the attribute in `x.name`, nor the keyword in `f(name=1)`."""
    outer = source.parent(node)
    if isinstance(outer, cst.Attribute):
        return outer.value is node
    return not (isinstance(outer, cst.Arg) and outer.keyword is node)


def _declared(source: Source, node: cst.Name) -> bool:
    outer = source.parent(node)
    return isinstance(outer, cst.NameItem)
