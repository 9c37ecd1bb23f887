"""Expressions of the tree as paths, spelled exactly as the index spells them."""

from __future__ import annotations

import libcst as cst

from conclint.index.facts import JOINED, LONGEST


def path_of(node: cst.CSTNode | None) -> str:
    """The path of an expression (see `index.facts`); "" where it has none, and for literals and lambdas."""
    tail = ""
    while node is not None and len(tail) <= LONGEST:  # by exact type: for abstract classes `isinstance` says no slowly
        if type(node) is cst.Name:
            return node.value + tail
        if type(node) is cst.Attribute:
            tail = "." + node.attr.value + tail
            node = node.value
        elif type(node) is cst.Call:
            node, step = _called(node)
            tail = step + tail
        elif type(node) is cst.Subscript:
            sliced = len(node.slice) == 1 and isinstance(node.slice[0].slice, cst.Slice)
            tail = tail if sliced else "[]" + tail
            node = node.value
        elif type(node) is cst.BinaryOperation and isinstance(node.operator, cst.Divide):
            tail = JOINED + tail
            node = node.left
        elif type(node) is cst.Await:
            node = node.expression
        elif type(node) is cst.NamedExpr or type(node) is cst.StarredElement:
            node = node.value
        else:
            return ""
    return ""


def _called(call: cst.Call) -> tuple[cst.BaseExpression, str]:
    """What stands for a call in a path: `f()`, `self.__class__` for `type(self)`, `f` for `partial(f, …)`."""
    name = call.func.value if isinstance(call.func, cst.Name) else ""
    if name == "type" and len(call.args) == 1:
        return call.args[0].value, ".__class__"
    if name == "super" and len(call.args) == 2 and not isinstance(call.args[1].value, cst.Name):
        return call.args[1].value, ""
    bound = partial_target(call)
    return (call.func, "()") if bound is None else (bound, "")


def partial_target(call: cst.Call) -> cst.BaseExpression | None:
    """The callable that `functools.partial(f, …)` stands for."""
    func = call.func
    name = func.attr.value if isinstance(func, cst.Attribute) else func.value if isinstance(func, cst.Name) else ""
    if name in ("partial", "partialmethod") and call.args and not call.args[0].star:
        return call.args[0].value
    return None


def argument(call: cst.Call, keyword: str, position: int | None = None) -> cst.Arg | None:
    """An argument of a call by keyword, or by position (from 0)."""
    for arg in call.args:
        if arg.keyword is not None and arg.keyword.value == keyword:
            return arg
    plain = [arg for arg in call.args if arg.keyword is None]
    if position is not None and position < len(plain) and not any(arg.star for arg in plain[: position + 1]):
        return plain[position]
    return None
