"""Items that are there already when a value is assigned to them: the container keeps its size."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import libcst as cst

from conclint.source.paths import path_of
from conclint.source.questions import conjuncts, without_keys

if TYPE_CHECKING:
    from conclint.source.acts import State
    from conclint.source.source import Source

# What walks over keys, with or without what they stand for.
BY_KEY = ("", ".keys()", ".items()")

# What takes items out of a dict.
TAKING = ("pop", "clear")


def is_there(source: Source, node: State) -> bool:
    """Whether `node[key] = …` finds its key: in `for key in node`, in `if key in node`, or in the node's literal."""
    item = source.parent(node)
    if not isinstance(item, cst.Subscript) or item.value is not node or len(item.slice) != 1:
        return False
    first, outer = item.slice[0].slice, source.parent(item)
    if isinstance(outer, cst.AugAssign) and outer.target is item:
        return source.types(node) == ("builtins.dict",)  # a `KeyError` where it is not
    if not isinstance(outer, cst.AssignTarget) or not isinstance(first, cst.Index):
        return False
    if _is_asked(source, item, source.code(first.value)):
        return True
    return isinstance(first.value, (cst.SimpleString, cst.Integer)) and _is_written(source, node, first.value.value)


def _is_asked(source: Source, item: cst.Subscript, key: str) -> bool:
    """Whether a loop or test around it takes the key from the container."""
    child, container = source.parent(item), source.code(item.value)
    for outer in source.ancestors(item):
        if isinstance(outer, (cst.FunctionDef, cst.Lambda)):
            return False
        if isinstance(outer, cst.For) and child is outer.body and _walks(source, outer, key, container):
            return True
        if isinstance(outer, cst.If) and child is outer.body and _asks(source, outer, key, item.value):
            return True
        child = outer
    return False


def _walks(source: Source, loop: cst.For, key: str, container: str) -> bool:
    """`for key in d`, `for key, value in d.items()`, `for key in list(d)`."""
    walked = loop.iter
    if isinstance(walked, cst.Call) and path_of(walked.func) in ("list", "sorted", "tuple") and walked.args:
        walked = walked.args[0].value
    view = source.code(walked).removeprefix(container)
    if not source.code(walked).startswith(container) or view not in BY_KEY:
        return False
    target = loop.target
    if view == ".items()":
        return isinstance(target, cst.Tuple) and path_of(target.elements[0].value) == key
    return path_of(target) == key


def _asks(source: Source, branch: cst.If, key: str, container: cst.BaseExpression) -> bool:
    """`if key in d`."""
    for part in conjuncts(branch.test):
        if isinstance(part, cst.Comparison) and len(part.comparisons) == 1 and source.code(part.left) == key:
            asked = part.comparisons[0]
            if isinstance(asked.operator, cst.In) and path_of(without_keys(asked.comparator)) == path_of(container):
                return True
    return False


def _is_written(source: Source, container: State, key: str) -> bool:
    """Whether the file only ever binds the container to literals that have the constant key, and takes nothing out."""
    path, text = path_of(container), source.text.text
    literal = re.search(rf"(?<![\w.]){re.escape(path)}\s*(?::[^=\n]*)?=\s*\{{", text) if path else None
    if literal is None or any(taking in text for taking in (f"del {path}", *(f"{path}.{one}" for one in TAKING))):
        return False
    bound = [one.value for one in source.whole.all(cst.Assign) if path in (path_of(to.target) for to in one.targets)]
    declared = [one.value for one in source.whole.all(cst.AnnAssign) if path_of(one.target) == path]
    values = [value for value in (*bound, *declared) if value is not None]
    return bool(values) and all(isinstance(value, cst.Dict) and key in _keys(value) for value in values)


def _keys(literal: cst.Dict) -> set[str]:
    """Its keys, where they are written as constants."""
    keys = (one.key for one in literal.elements if isinstance(one, cst.DictElement))
    return {key.value for key in keys if isinstance(key, (cst.SimpleString, cst.Integer))}
