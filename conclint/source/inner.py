"""Containers in a container: `for callback in self._callbacks[event]`, `self._callbacks[event].remove(callback)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.containers import UPSETTING
from conclint.program.observations import ITEM_CHANGED, ITEM_WALKED, Act
from conclint.source.acts import VIEWS, Done, State, constant, constant_key, iterated

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
        if outer.attr.value in VIEWS and iterated(source, source.parent(call), call):
            return Done(Act.READ, ITEM_WALKED, key=key), item
        if outer.attr.value in UPSETTING:
            return Done(Act.READ, ITEM_CHANGED, key=key), item
        return None
    return (Done(Act.READ, ITEM_WALKED, key=key), item) if iterated(source, source.parent(item), item) else None


def _item(source: Source, node: State) -> tuple[cst.BaseExpression | None, str]:
    """`d[key]`, `d.get(key, ())`; and the key, where it is a constant."""
    outer = source.parent(node)
    if isinstance(outer, cst.Subscript) and outer.value is node:
        whole = len(outer.slice) == 1 and isinstance(outer.slice[0].slice, cst.Index)
        return (outer, constant_key(outer)) if whole else (None, "")
    call = source.parent(outer) if isinstance(outer, cst.Attribute) and outer.value is node else None
    if isinstance(outer, cst.Attribute) and isinstance(call, cst.Call) and outer.attr.value in GETTING and call.args:
        return call, constant(call.args[0].value)
    return None, ""
