"""Items of containers that go by what an object says of itself: `del RUNNING[self.name]` takes the object's own."""

from __future__ import annotations

import libcst as cst

from conclint.source.paths import path_of
from conclint.source.questions import bound_before
from conclint.source.source import Source


def is_own_item(source: Source, node: cst.Name | cst.Attribute) -> bool:
    """Whether the act at the node means an item whose key is made of nothing but the method's own object."""
    key = _key(source, node)
    if isinstance(key, cst.Name):
        key = bound_before(source, source.statement(node), key)
    return key is not None and _of_self(source, key)


def _key(source: Source, node: cst.Name | cst.Attribute) -> cst.BaseExpression | None:
    """`k` in `d[k]`, `d.pop(k)` and `k in d`."""
    outer = source.parent(node)
    if isinstance(outer, cst.Subscript) and outer.value is node and len(outer.slice) == 1:
        place = outer.slice[0].slice
        return place.value if isinstance(place, cst.Index) else None
    if isinstance(outer, cst.ComparisonTarget) and isinstance(outer.operator, (cst.In, cst.NotIn)):
        test = source.parent(outer)
        return test.left if isinstance(test, cst.Comparison) and len(test.comparisons) == 1 else None
    call = source.parent(outer) if isinstance(outer, cst.Attribute) and outer.value is node else None
    called = isinstance(call, cst.Call) and call.func is outer and bool(call.args)
    return call.args[0].value if isinstance(call, cst.Call) and called else None


def _of_self(source: Source, key: cst.BaseExpression) -> bool:
    """`self`, `self.name`, `id(self)`, `hash(self.url + self.goal)`; not what another object says of itself."""
    if isinstance(key, (cst.Name, cst.Attribute)):
        return source.is_receiver(key)
    if isinstance(key, cst.Call):
        parts = [arg.value for arg in key.args]
        known = path_of(key.func) in ("hash", "id", "str", "repr") or source.is_receiver(key.func)
        return known and all(_of_self(source, part) for part in parts) and (bool(parts) or source.is_receiver(key.func))
    if isinstance(key, cst.BinaryOperation):
        return _of_self(source, key.left) and _of_self(source, key.right)
    if isinstance(key, cst.Tuple):
        return bool(key.elements) and all(_of_self(source, one.value) for one in key.elements)
    return False
