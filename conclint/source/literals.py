"""What a literal, or a name bound to one, can be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

if TYPE_CHECKING:
    from conclint.source.source import Source

    Binding = cst.For | cst.CompFor | cst.AssignTarget | cst.Param

# Types of which an object is one value, never a list of arguments.
ONE_VALUE = frozenset(
    {"builtins.int", "builtins.float", "builtins.bool", "builtins.complex", "builtins.str", "builtins.bytes"}
)

# docs.python.org/3/library/functions.html
GIVING_ONE = tuple(
    f"builtins.{name}" for name in ("str", "int", "float", "len", "repr", "format", "ord", "round", "id")
)

# A constant loop is short up to so many rounds.
SHORT = 64


def is_one_value(source: Source, value: cst.BaseExpression) -> bool:
    """Whether an expression surely is a text, a number or the like, where a tuple is asked for.

    An empty text stands for an empty tuple, and a text of one character for a tuple of it: both work.
    """
    if isinstance(value, (cst.Integer, cst.Float, cst.Imaginary, cst.FormattedString)):
        return True
    if isinstance(value, cst.SimpleString):
        text = value.evaluated_value
        return len(text) > 1
    if isinstance(value, cst.ConcatenatedString):
        return True
    if isinstance(value, cst.BinaryOperation):
        return _is_arithmetic(value)
    if isinstance(value, cst.Call):
        return _gives_one_value(source, value)
    if isinstance(value, cst.Name):
        return value.value in ("True", "False", "None") or (bool(value.lpar) and _holds_one_value(source, value))
    return False


def _gives_one_value(source: Source, call: cst.Call) -> bool:
    """`str(path)`, `len(items)`, `"{}.txt".format(name)`."""
    if isinstance(call.func, cst.Attribute) and isinstance(call.func.value, (cst.SimpleString, cst.FormattedString)):
        return call.func.attr.value in ("format", "join")
    return bool(call.args) and source.calls(call, *GIVING_ONE)


def constant_text(value: cst.BaseExpression) -> str:
    """The text that a literal stands for; "" for anything else."""
    if isinstance(value, (cst.SimpleString, cst.ConcatenatedString)):
        text = value.evaluated_value
        return text if isinstance(text, str) else ""
    return ""


def _is_arithmetic(value: cst.BinaryOperation) -> bool:
    """`n + 1`, `"part %d" % n`: not `(x,) + rest`, not `[x] * 3`."""
    numbers = (cst.Integer, cst.Float)
    if isinstance(value.operator, (cst.Add, cst.Subtract, cst.Divide, cst.FloorDivide)):
        return any(
            isinstance(side, (*numbers, cst.SimpleString, cst.FormattedString)) for side in (value.left, value.right)
        )
    if isinstance(value.operator, cst.Modulo):
        return isinstance(value.left, (cst.SimpleString, cst.FormattedString)) or isinstance(value.right, numbers)
    return False


def _holds_one_value(source: Source, name: cst.Name) -> bool:
    types = source.types(name)
    if types:
        return all(one in ONE_VALUE for one in types)
    around = source.function_node(name)
    bound = [node for node in bindings(source, around) if name.value in bound_names(node)]
    if not bound and around is not None:
        bound = [node for node in bindings(source, None) if name.value in bound_names(node)]
    return bool(bound) and all(_counts(source, node) for node in bound)


def bindings(source: Source, around: cst.CSTNode | None) -> Iterator[Binding]:
    """The loops, assignments and parameters of one function."""
    for kind in (cst.For, cst.CompFor, cst.AssignTarget):
        for node in source.all(kind):
            if isinstance(node, kind) and source.function_node(node) is around:
                yield node
    for param in source.all(cst.Param):
        if source.nearest(param, cst.FunctionDef) is around:
            yield param


def target_names(target: cst.BaseExpression) -> Iterator[str]:
    """The plain names that an assignment or loop binds."""
    if isinstance(target, (cst.Tuple, cst.List)):
        for element in target.elements:
            yield from target_names(element.value)
    elif isinstance(target, cst.Name):
        yield target.value


def bound_names(node: Binding) -> Iterator[str]:
    """The plain names that it binds."""
    if isinstance(node, cst.Param):
        yield node.name.value
    else:
        yield from target_names(node.target)


def _counts(source: Source, node: Binding) -> bool:
    """Whether what is bound is a number: by a loop over a range, or a literal."""
    if isinstance(node, (cst.For, cst.CompFor)):
        return isinstance(node.iter, cst.Call) and source.calls(node.iter, "builtins.range")
    if isinstance(node, cst.AssignTarget):
        statement = source.parent(node)
        return isinstance(statement, cst.Assign) and is_one_value(source, statement.value)
    return False
