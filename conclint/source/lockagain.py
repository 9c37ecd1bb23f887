"""Locks that are replaced by new ones while others may hold, or wait for, the old ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from conclint.program.deeds import CONSTRUCTION
from conclint.program.values import Store, function_id
from conclint.source.locklocal import makes_lock
from conclint.source.paths import path_of
from conclint.source.testcode import in_test
from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.source.source import Source

# Where nobody else has the object: it is being made, copied, unpickled, begun; or its process is new.
ALONE = re.compile(
    r"fork|child|process|re_?init|^_*(?:init|setup|start|restart|open|connect|bind|run|main|configure)|copy|setUp|pickle"
)

# `if self._lock is None`, `if os.getpid() != self._pid`, `if key not in locks`: there was none for this process.
ASKS = re.compile(r"\bpid|getpid|fork|\bin\b|None|hasattr|getattr|\bnot\b")

# The function looks whether there is one at all.
FIRST = re.compile(r"AttributeError|hasattr\(")


class Replaced(NamedTuple):
    """A new lock at `made` in the place (as written) of one that is there already."""

    made: cst.Call
    text: str
    first: cst.CSTNode | None  # where the first one is made


def replaced_locks(source: Source) -> Iterator[Replaced]:
    """Every assignment of a new lock to an attribute, global or item that has one."""
    for assign in source.all(cst.Assign):
        target = assign.targets[0].target
        function = source.function_node(assign)
        made = _made(source, assign)
        if made is None or not isinstance(function, cst.FunctionDef):
            continue
        if _is_alone(source, assign, function) or in_test(source, assign):
            continue
        if isinstance(target, cst.Subscript):
            if _is_shared(source, target, function) and _seen(source, target, function):
                yield Replaced(made, source.code(target), None)
        else:
            first = _first(source, target, assign)
            if first is not None and _is_used(source, target):
                yield Replaced(made, source.code(target), first)


def _made(source: Source, assign: cst.Assign) -> cst.Call | None:
    """The lock that is made and kept: the value itself, or for an item also a part of it."""
    for call in source.inside(assign.value, cst.Call):
        if makes_lock(source, call):
            return call if call is assign.value or isinstance(assign.targets[0].target, cst.Subscript) else None
    return None


def _is_alone(source: Source, assign: cst.Assign, function: cst.FunctionDef) -> bool:
    """Whether nobody else can have the old lock, or there is none."""
    name = function.name.value
    if name in CONSTRUCTION or ALONE.search(name) or (name.startswith("__") and name.endswith("__")):
        return True
    if ALONE.search(source.text.lines[source.span(function).line - 1].partition("#")[2]):
        return True
    if re.search(rf"(?:after_in_child|register_after_fork|WeakMethod)\b.*\b{name}\b", source.text.text):
        return True
    if name.startswith("_") and is_part_of_init(source, name):
        return True
    if FIRST.search(source.code(function.body)):
        return True
    for outer in source.ancestors(assign):
        if outer is function:
            return False
        if isinstance(outer, cst.ExceptHandler) or (isinstance(outer, cst.If) and ASKS.search(source.code(outer.test))):
            return True
    return False


def is_part_of_init(source: Source, name: str) -> bool:
    """Whether a constructor calls a method of that name."""
    for call in source.all(cst.Call):
        if path_of(call.func).endswith(f".{name}"):
            around = source.function_node(call)
            if isinstance(around, cst.FunctionDef) and around.name.value == "__init__":
                return True
    return False


# -- attributes and globals


def _first(source: Source, target: cst.BaseExpression, again: cst.Assign) -> cst.CSTNode | None:
    """Where the same attribute or global gets its first lock: in `__init__`, the class or the module."""
    store = source.named(target).store
    if store is None or store.sort == "local":
        return None
    for assign in source.all(cst.Assign):
        around = source.function_node(assign)
        made = isinstance(assign.value, cst.Call) and makes_lock(source, assign.value)
        begins = around is None or (isinstance(around, cst.FunctionDef) and around.name.value == "__init__")
        if made and begins and assign is not again and _is_of(source, assign, store):
            return assign.value
    return None


def _is_of(source: Source, assign: cst.Assign, store: Store) -> bool:
    """Whether what is assigned to is the store, perhaps as an attribute in its class's body."""
    target = assign.targets[0].target
    cls = source.nearest(assign, cst.ClassDef, cst.FunctionDef)
    if isinstance(cls, cst.ClassDef) and isinstance(target, cst.Name):
        return target.value == store.path and store.owner == function_id(source.path, source.class_name(cls))
    return source.named(target).store == store


def _is_used(source: Source, target: cst.BaseExpression) -> bool:
    """Whether the file takes the lock somewhere."""
    last = re.escape(path_of(target).rpartition(".")[2])
    return bool(re.search(rf"\bwith\b[^\n]*\b{last}\b|\b{last}\.acquire\b", source.text.text))


# -- items


def _is_shared(source: Source, target: cst.Subscript, function: cst.FunctionDef) -> bool:
    """Whether the container outlives the function: no local of it, except through a parameter."""
    store = source.named(target.value).store
    parameters = {param.name.value for param in function.params.params}
    head = path_of(target.value).partition(".")[0].partition("[")[0]
    if store is not None and store.sort == "local":
        return store.owner != source.identity(target) or (head in parameters and head != "self")
    return store is not None


def _seen(source: Source, target: cst.Subscript, function: cst.FunctionDef) -> bool:
    """Whether the function itself reckons with a key that is known already: `if key not in others: …`."""
    index = target.slice[0].slice
    key = source.code(index.value) if isinstance(index, cst.Index) and len(target.slice) == 1 else ""
    return bool(key) and any(
        isinstance(node, cst.Comparison)
        and isinstance(node.comparisons[0].operator, (cst.In, cst.NotIn))
        and source.code(node.left) == key
        for node in below(function.body)
    )
