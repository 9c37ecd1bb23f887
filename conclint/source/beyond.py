"""Whether the work of a pool that a function makes for itself goes beyond that function: then no block can end it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.handles import BORROWS
from conclint.knowledge.pools import GIVES, WAITS, Gives
from conclint.source.futures import METHODS
from conclint.source.paths import path_of
from conclint.source.tree import below
from conclint.source.variables import added_to, bound_to, reads

if TYPE_CHECKING:
    from conclint.source.source import Source

INSIDE = (cst.Element, cst.DictElement, cst.List, cst.Set, cst.Tuple, cst.ListComp, cst.SetComp, cst.DictComp)
GIVEN_OUT = (cst.Return, cst.Yield, cst.Lambda)
# Who waits for these, waits in the same function.
AWAITED = frozenset({"asyncio.gather", "asyncio.wait", "asyncio.wait_for", *WAITS})


def handed_on(source: Source, made: cst.Call) -> bool:
    """Whether somebody else gets the futures of the pool: they are returned, kept by an object, called back."""
    return any(
        _leaves(source, call, results=GIVES[name] is Gives.RESULTS)
        for call in _uses(source, made)
        if (name := next((one for one in source.names(call.func) if one in GIVES), ""))
    )


def serves(source: Source, made: cst.Call) -> bool:
    """Whether the pool works in a loop that ends with the process: `while True`, `for line in sys.stdin`."""
    around = set(source.ancestors(made))
    name = bound_to(source, made)
    found = reads(source, name) if name is not None else ()
    return any(_is_endless(source, loop) for one in found for loop in source.ancestors(one) if loop not in around)


def _uses(source: Source, made: cst.Call) -> Iterator[cst.Call]:
    """The calls of its methods that give it work."""
    name = bound_to(source, made)
    owners = reads(source, name) if name is not None else [made]
    for owner in owners:
        func = source.parent(owner)
        call = source.parent(func) if isinstance(func, cst.Attribute) and func.attr.value in METHODS else None
        if isinstance(call, cst.Call) and call.func is func:
            yield call


def _leaves(source: Source, value: cst.CSTNode, *, results: bool) -> bool:
    """Whether a future, or a container of futures, gets out of the function; `results`: an iterator of results."""
    outer = source.parent(value)
    while isinstance(outer, INSIDE):
        value, outer = outer, source.parent(outer)
    if isinstance(outer, GIVEN_OUT):
        return True
    if isinstance(outer, cst.Attribute):
        return outer.attr.value == "add_done_callback"
    if isinstance(outer, cst.Arg) and added_to(source, value) is None:
        return not results and _keeps(source, outer)
    name = bound_to(source, value) or added_to(source, value)
    if name is None:
        return isinstance(outer, (cst.Assign, cst.AnnAssign))  # to an attribute
    around = source.function_node(value)
    found = (one for one in reads(source, name) if one is not name)
    return any(source.function_node(one) is not around or _leaves(source, one, results=results) for one in found)


def _keeps(source: Source, given: cst.Arg) -> bool:
    """Whether the call that is given a future may keep it, or makes another one of it that is not awaited."""
    call = source.parent(given)
    if not isinstance(call, cst.Call) or isinstance(source.parent(call), (cst.Await, cst.For, cst.CompFor)):
        return False
    known = source.names(call.func)
    return not any(name in BORROWS or name in AWAITED or name.startswith("builtins.") for name in known)


def _is_endless(source: Source, loop: cst.CSTNode) -> bool:
    if isinstance(loop, cst.For):
        return path_of(loop.iter) == "sys.stdin" or "sys.stdin" in source.names(loop.iter)
    if not isinstance(loop, cst.While) or path_of(loop.test) != "True":
        return False
    return not any(isinstance(one, (cst.Break, cst.Return)) for one in below(loop.body))
