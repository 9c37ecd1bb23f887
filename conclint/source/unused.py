"""Whether somebody looks at what a call gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.source.source import Source


def dropped(source: Source, call: cst.Call) -> bool:
    """Whether what the call gives is surely never looked at: no name, or a local that is filled and then forgotten."""
    outer = source.parent(call)
    if isinstance(outer, cst.Expr):
        return True
    if isinstance(outer, cst.ListComp):
        outer = source.parent(outer)
        return isinstance(outer, cst.Expr) or _is_forgotten(source, _bound(outer))
    if isinstance(outer, cst.Arg):
        return _is_forgotten(source, _container(source, outer))
    return _is_forgotten(source, _bound(outer))


def _bound(assign: cst.CSTNode | None) -> cst.Name | None:
    target = assign.targets[0].target if isinstance(assign, cst.Assign) and len(assign.targets) == 1 else None
    return target if isinstance(target, cst.Name) else None


def _container(source: Source, arg: cst.Arg) -> cst.Name | None:
    """The list to whose end the argument is put."""
    put = source.parent(arg)
    func = put.func if isinstance(put, cst.Call) and isinstance(source.parent(put), cst.Expr) else None
    if isinstance(func, cst.Attribute) and func.attr.value == "append" and isinstance(func.value, cst.Name):
        return func.value
    return None


def _is_forgotten(source: Source, name: cst.Name | None) -> bool:
    """Whether the local is only bound and filled."""
    function = source.function_node(name) if name is not None else None
    if name is None or function is None:
        return False
    if any(_makes_common(part, name.value) for part in below(function)):
        return False
    uses = [part for part in below(function.body) if isinstance(part, cst.Name) and part.value == name.value]
    return all(_fills(source, use) for use in uses)


def _makes_common(node: cst.CSTNode, name: str) -> bool:
    """Whether others have the variable too: it is a parameter, or declared to be someone else's."""
    if isinstance(node, cst.Param):
        return node.name.value == name
    return isinstance(node, (cst.Global, cst.Nonlocal)) and any(item.name.value == name for item in node.names)


def _fills(source: Source, use: cst.Name) -> bool:
    outer = source.parent(use)
    if isinstance(outer, cst.AssignTarget) or (isinstance(outer, cst.Arg) and outer.keyword is use):
        return True
    if not isinstance(outer, cst.Attribute):
        return False
    if outer.attr is use:
        return True  # another object's attribute of the same name
    call = source.parent(outer)
    return outer.attr.value == "append" and isinstance(call, cst.Call) and isinstance(source.parent(call), cst.Expr)
