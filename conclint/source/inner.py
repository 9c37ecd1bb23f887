"""Containers in a container: `for callback in self._callbacks[event]`, `self._callbacks[event].remove(callback)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.containers import UPSETTING
from conclint.program.observations import ITEM_CHANGED, ITEM_WALKED, Act
from conclint.source.acts import LAZY, VIEWS, Done, State
from conclint.source.paths import path_of

if TYPE_CHECKING:
    from conclint.source.source import Source

# What gives an item without changing it.
GETTING = frozenset({"get", "setdefault"})


def inner_act(source: Source, node: State) -> tuple[Done, cst.CSTNode] | None:
    """A walk over an item of the container, or a change that such a walk does not survive; and the item."""
    item, key = _item(source, node)
    if item is None:
        return None
    outer = source.parent(item)
    call = source.parent(outer) if isinstance(outer, cst.Attribute) and outer.value is item else None
    if isinstance(outer, cst.Attribute) and isinstance(call, cst.Call) and call.func is outer:
        if outer.attr.value in VIEWS and _walked(source, call):
            return Done(Act.READ, ITEM_WALKED, key=key), item
        if outer.attr.value in UPSETTING:
            return Done(Act.READ, ITEM_CHANGED, key=key), item
        return None
    return (Done(Act.READ, ITEM_WALKED, key=key), item) if _walked(source, item) else None


def _item(source: Source, node: State) -> tuple[cst.BaseExpression | None, str]:
    """`d[key]`, `d.get(key, ())`; and the key, where it is a constant."""
    outer = source.parent(node)
    if isinstance(outer, cst.Subscript) and outer.value is node and len(outer.slice) == 1:
        index = outer.slice[0].slice
        return (outer, _constant(index.value)) if isinstance(index, cst.Index) else (None, "")
    call = source.parent(outer) if isinstance(outer, cst.Attribute) and outer.value is node else None
    if isinstance(outer, cst.Attribute) and isinstance(call, cst.Call) and outer.attr.value in GETTING and call.args:
        return call, _constant(call.args[0].value)
    return None, ""


def _constant(key: cst.BaseExpression) -> str:
    return key.value if isinstance(key, (cst.SimpleString, cst.Integer)) else ""


def _walked(source: Source, item: cst.CSTNode) -> bool:
    """`for x in item`, `for i, x in enumerate(item)`."""
    outer = source.parent(item)
    call = source.parent(outer) if isinstance(outer, cst.Arg) else None
    if isinstance(call, cst.Call) and path_of(call.func).rpartition(".")[2] in LAZY:
        outer, item = source.parent(call), call
    return isinstance(outer, (cst.For, cst.CompFor)) and outer.iter is item
