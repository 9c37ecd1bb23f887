"""What is one step only as long as there is a GIL."""

from __future__ import annotations

import libcst as cst

from conclint.knowledge.containers import HASHED, ITEM_BY_ITEM, OF_DEQUES, UNSTEADY
from conclint.model import Fix, Place
from conclint.program.observations import LOOK, Act
from conclint.source.acts import VIEWS, Done, State
from conclint.source.paths import argument, path_of
from conclint.source.source import Source

LIST = "builtins.list"
DEQUE = "collections.deque"


def freely(source: Source, node: State, done: Done) -> Done:
    """What the act is where no GIL makes one step of it."""
    if done.act is Act.READ:
        return _walked(source, node) or (done._replace(operation=LOOK) if _looks(source, node) else done)
    if LIST not in source.types(node):
        return done
    if done.act is Act.UPDATE and done.operation == "*=":
        return Done(Act.UNSTEADY, "*=", True)
    if done.act is Act.CHANGE and done.operation in UNSTEADY and not _takes_last(source, node, done):
        return done._replace(act=Act.UNSTEADY)
    return done


def _takes_last(source: Source, node: State, done: Done) -> bool:
    """`pop()`, `pop(-1)`: nothing moves."""
    call = source.parent(source.parent(node) or node)
    index = argument(call, "index", 0) if isinstance(call, cst.Call) else None
    return done.operation == "pop" and (index is None or source.code(index.value) == "-1")


def _walked(source: Source, node: State) -> Done | None:
    """`sum(d.values())`, `tuple(d)`, `next(iter(d))`: a walk that takes the lock anew for each item."""
    types = {*source.types(node)}
    whole: cst.CSTNode = node
    outer = source.parent(node)
    if isinstance(outer, cst.Attribute) and outer.attr.value in VIEWS and isinstance(source.parent(outer), cst.Call):
        whole = source.parent(outer) or outer
        types = types or {"builtins.dict"}
    call, name = _taker(source, whole)
    if call is not None and name == "iter":
        call, name = _taker(source, call)
        name = name if name == "next" else ""
    deep = name in OF_DEQUES and DEQUE in types
    known = bool(types & HASHED) and name in ITEM_BY_ITEM
    return Done(Act.ITERATE, f"{name}()") if known or deep else None


def _taker(source: Source, node: cst.CSTNode) -> tuple[cst.Call | None, str]:
    """The call whose only positional argument it is, and that function's name."""
    arg = source.parent(node)
    call = source.parent(arg) if isinstance(arg, cst.Arg) else None
    if not isinstance(call, cst.Call) or call.args[0] is not arg:
        return None, ""
    return call, path_of(call.func)


def _looks(source: Source, node: State) -> bool:
    """At an item of a list, at its length, whether something is in it."""
    if LIST not in source.types(node):
        return False
    outer = source.parent(node)
    if isinstance(outer, cst.Arg):
        return _taker(source, node)[1] in ("len", "list", "tuple", "sorted", "sum", "max", "min", "any", "all")
    if isinstance(outer, cst.ComparisonTarget):
        return isinstance(outer.operator, (cst.In, cst.NotIn))
    return isinstance(outer, cst.Subscript) and outer.value is node


def copied(source: Source, place: Place) -> Fix | None:
    """A copy in the walk's place, where that is a loop over a container that copies itself in one step."""
    iterated = [loop.iter for loop in source.all(cst.For)] + [part.iter for part in source.all(cst.CompFor)]
    for walked in iterated:
        func = walked.func if isinstance(walked, cst.Call) else None
        container = func.value if isinstance(func, cst.Attribute) else walked
        if source.place(container) == place:
            text = source.code(walked)
            copy = f"{text}.copy()" if DEQUE in source.types(container) else f"list({text})"
            return Fix("walk over a copy", (source.replace(walked, copy),))
    return None
