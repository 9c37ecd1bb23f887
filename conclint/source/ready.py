"""Results that come in the order in which they are ready: where they are paired with something by position."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.kinds import Context
from conclint.source.paths import path_of
from conclint.source.tree import below
from conclint.source.variables import ADDING, bound_to, is_target, made_empty, mentions, only_fills, reads

if TYPE_CHECKING:
    from conclint.source.source import Source

COUNTS = frozenset({"range", "count", "repeat", "cycle"})
COLLECTING = frozenset({"list", "tuple"})
SHOWING = frozenset({"tqdm", "track"})


def paired(source: Source, call: cst.Call) -> cst.Call | None:
    """The `zip` or `enumerate` that gives a position to what the call yields, where that is used."""
    results: cst.CSTNode = call
    outer = _consumer(source, results)
    if outer is not None and path_of(outer.func).rpartition(".")[2] in SHOWING:
        results, outer = outer, _consumer(source, outer)
    if outer is not None and path_of(outer.func) in ("zip", "enumerate"):
        return outer if _by_position(source, outer, results) else None
    name = _collected(source, results)
    if name is None or any(_sorts(source, one) for one in reads(source, name)):
        return None
    for one in reads(source, name):
        zipped = _consumer(source, one)
        zips = zipped is not None and path_of(zipped.func) == "zip" and not _alongside(source, results, zipped, one)
        if zipped is not None and zips and _by_position(source, zipped, one):
            return zipped
    return None


def filled_by_workers(source: Source, call: cst.Call) -> bool:
    """Whether `zip` pairs a list by position to which several workers add what they have found."""
    if path_of(call.func) != "zip" or len(call.args) < 2:
        return False
    names = [arg.value for arg in call.args if isinstance(arg.value, cst.Name)]
    return any(_worker_fills(source, name) and _by_position(source, call, name) for name in names)


def _worker_fills(source: Source, name: cst.Name) -> bool:
    """Whether a list of this function is filled only in functions inside that run in several threads at once."""
    others = [one for one in mentions(source, name) if not is_target(source, one)]
    fills = [one for one in others if only_fills(source, one)]
    if not fills or not made_empty(source, name) or any(_sorts(source, one) for one in others):
        return False
    alone = all(_alone_in(source, one) for one in fills)
    return alone and all(_in_many_threads(source, one) for one in fills)


def _alone_in(source: Source, name: cst.Name) -> bool:
    """`found.append(one)`, and not a pair that says which one it is, nor a place in the list."""
    call = source.parent(outer) if isinstance(outer := source.parent(name), cst.Attribute) else None
    added = call.args[0].value if isinstance(call, cst.Call) and len(call.args) == 1 else None
    return added is not None and not isinstance(added, (cst.Tuple, cst.Dict, cst.List))


def _in_many_threads(source: Source, node: cst.CSTNode) -> bool:
    function = source.function(node)
    return function is not None and any(run.many for run in function.runs_in(Context.THREAD))


def _consumer(source: Source, node: cst.CSTNode) -> cst.Call | None:
    """The call of which the node is an argument by position."""
    outer = source.parent(node)
    call = source.parent(outer) if isinstance(outer, cst.Arg) and outer.keyword is None else None
    return call if isinstance(call, cst.Call) and call.func is not outer else None


def _by_position(source: Source, call: cst.Call, results: cst.CSTNode) -> bool:
    """Whether `zip` or `enumerate` brings the results together with something else that has an order."""
    if path_of(call.func) == "zip":
        others = [arg.value for arg in call.args if arg.value is not results]
        return any(path_of(one).removesuffix("()").rpartition(".")[2] not in COUNTS for one in others)
    loop = source.parent(call)
    target = loop.target if isinstance(loop, (cst.For, cst.CompFor)) else None
    if len(call.args) != 1 or not isinstance(target, cst.Tuple) or not isinstance(loop, cst.For):
        return False
    number = target.elements[0].value
    return isinstance(number, cst.Name) and any(_index(one, number.value) for one in below(loop.body))


def _index(node: cst.CSTNode, name: str) -> bool:
    """`results[number]`, as it is."""
    sliced = node.slice[0].slice if isinstance(node, cst.Subscript) and len(node.slice) == 1 else None
    return isinstance(sliced, cst.Index) and isinstance(sliced.value, cst.Name) and sliced.value.value == name


def _collected(source: Source, results: cst.CSTNode) -> cst.Name | None:
    """The list into which all results are put as they come."""
    outer = source.parent(results)
    consumer = _consumer(source, results)
    if consumer is not None and path_of(consumer.func) in COLLECTING:
        return bound_to(source, consumer)
    if isinstance(outer, cst.CompFor) and outer.iter is results and outer.inner_for_in is None:
        made = source.parent(outer)
        return bound_to(source, made) if isinstance(made, cst.ListComp) else None
    if isinstance(outer, cst.For) and outer.iter is results and isinstance(outer.target, cst.Name):
        return _filled(source, outer, outer.target.value)
    return None


def _filled(source: Source, loop: cst.For, item: str) -> cst.Name | None:
    """`xs` in `for item in …: xs.append(item.result())`, where nothing else goes along."""
    for node in below(loop.body):
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value in ADDING:
            alone = len(node.args) == 1 and not isinstance(node.args[0].value, (cst.Tuple, cst.Dict))
            used = any(isinstance(part, cst.Name) and part.value == item for part in below(node))
            if alone and used and isinstance(node.func.value, cst.Name):
                return node.func.value
    return None


def _alongside(source: Source, results: cst.CSTNode, zipped: cst.Call, one: cst.Name) -> bool:
    """Whether all that is zipped was filled in the same loop, in the same order."""
    loop = source.parent(results)
    if not isinstance(loop, cst.For):
        return False
    others = {path_of(arg.value) for arg in zipped.args if arg.value is not one}
    added = {path_of(node.value) for node in below(loop.body) if isinstance(node, cst.Attribute)}
    return others <= added


def _sorts(source: Source, name: cst.Name) -> bool:
    outer = source.parent(name)
    return isinstance(outer, cst.Attribute) and outer.attr.value in ("sort", "index")
