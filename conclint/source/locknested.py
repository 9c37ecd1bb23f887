"""Locks that are taken again by who holds them already, in one function."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from conclint.program.values import Store
from conclint.source.lockuse import body_nodes, is_plain, kinds, lock_call, lock_types, rebinds, surely_waits
from conclint.source.paths import path_of

if TYPE_CHECKING:
    from conclint.source.source import Source


class Again(NamedTuple):
    """A plain lock held by `outer` and taken again at `inner`, an item of a `with` or an `acquire()`."""

    outer: cst.WithItem
    inner: cst.WithItem | cst.Call
    text: str


class Key(NamedTuple):
    """Which lock an expression means within one function: its lock's place, and the object that has it."""

    store: Store
    owner: str


def taken_again(source: Source) -> Iterator[Again]:
    """Every place where a thread waits for itself."""
    for item in source.all(cst.WithItem):
        outer = _outer(source, item, item.item)
        if outer is not None:
            yield Again(outer, item, source.code(item.item))
    for call in source.all(cst.Call):
        found = lock_call(source, call)
        if found is not None and found.method == "acquire" and surely_waits(call):
            outer = _outer(source, call, found.lock)
            if outer is not None:
                yield Again(outer, call, found.text)


def _outer(source: Source, node: cst.CSTNode, lock: cst.BaseExpression) -> cst.WithItem | None:
    """The `with` item around the node, in the same function, that holds the same plain lock."""
    key = _key(source, lock)
    if key is None:
        return None
    child: cst.CSTNode = node
    for outer in source.ancestors(node):
        if isinstance(outer, (cst.FunctionDef, cst.Lambda, cst.ClassDef)):
            return None
        if isinstance(outer, cst.With):
            for item in outer.items:
                if item is child:
                    break
                if _key(source, item.item) == key:
                    same = not _let_go(source, outer, key, node) and not rebinds(outer.body, item.item, lock)
                    return item if same else None
        child = outer
    return None


def _key(source: Source, lock: cst.BaseExpression) -> Key | None:
    """Which plain lock the expression means, also as the lock of a condition that was made of it."""
    path = path_of(lock)
    store = source.named(lock).store
    if store is None or "(" in path or "[" in path:
        return None
    owner = path.rpartition(".")[0] if store.sort == "attribute" else ""  # `lock` and `module.lock` may be one
    types = lock_types(source, lock)
    if is_plain(source, types):
        return Key(store, owner)
    made_of = _lock_of_condition(source, store) if any(kind.condition for kind in kinds(source, types)) else None
    return Key(made_of, owner) if made_of is not None else None


def _lock_of_condition(source: Source, store: Store) -> Store | None:
    """The plain lock beside a condition of which it was made: `self.changed = Condition(self.lock)`."""
    for assign in source.all(cst.Assign):
        target, value = assign.targets[0].target, assign.value
        if isinstance(value, cst.Call) and value.args and source.named(target).store == store:
            lock = value.args[0].value
            beside = path_of(lock).rpartition(".")[0] == path_of(target).rpartition(".")[0]
            if beside and is_plain(source, lock_types(source, lock)):
                return source.named(lock).store
    return None


def _let_go(source: Source, block: cst.With, key: Key, inner: cst.CSTNode) -> bool:
    """Whether the lock is released for a while inside, before it is taken again."""
    round_again = source.nearest(inner, cst.While, cst.For)
    last = source.sequence(inner) if round_again is None else None
    for node in body_nodes(block.body):
        one = lock_call(source, node) if last is None or source.sequence(node) < last else None
        if one is not None and one.method in ("release", "wait", "wait_for") and _key(source, one.lock) == key:
            return True
    return False
