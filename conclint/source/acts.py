"""What the syntax around a name or attribute does to what it denotes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

import libcst as cst

from conclint.knowledge.containers import CHANGE_GIVEN
from conclint.program.observations import CUT, EMPTIED, OWN, REBUILT, Act
from conclint.source.paths import path_of
from conclint.source.source import Source
from conclint.source.tree import below

State = cst.Name | cst.Attribute

VIEWS = frozenset({"items", "keys", "values"})

# Calls that go through what they are given while somebody goes through them.
LAZY = frozenset({"enumerate", "zip", "map", "filter", "iteritems", "iterkeys", "itervalues"})

# Calls that change a container, and whether they can change which items it has.
CHANGING = {
    **dict.fromkeys(("append", "appendleft", "extend", "extendleft", "insert", "pop", "popleft", "popitem"), True),
    **dict.fromkeys(("remove", "discard", "clear", "add", "update", "setdefault"), True),
    **dict.fromkeys(("difference_update", "intersection_update", "symmetric_difference_update"), True),
    **dict.fromkeys(("sort", "reverse", "rotate", "move_to_end"), False),
}


# What a list's iterator survives, though not a deque's: it sees an item twice at worst.
KEEPING = frozenset({"append", "extend", "insert"})
DEQUE = "collections.deque"


class Done(NamedTuple):
    """An act, by which operation, and whether it can change which items a container has."""

    act: Act
    operation: str = ""
    resizes: bool = False
    key: str = ""  # the item that is meant, where a constant says so


READ = Done(Act.READ)

# What a worker calls the number that is its own.
NUMBER = re.compile(
    r"^(?:i|n|idx|index|num|number|rank|slot|shard|(?:worker|thread)_?(?:id|no|num|number|idx|index)?)$"
)


def act_of(source: Source, node: State) -> Done:
    """What is done there."""
    outer = source.parent(node)
    if isinstance(outer, cst.AssignTarget):
        return _assigned(source, node, outer)
    if isinstance(outer, cst.AugAssign) and outer.target is node:
        return (
            Done(Act.CHANGE, "extend") if _in_place(source, node, outer) else Done(Act.UPDATE, source.operator(outer))
        )
    if isinstance(outer, cst.AnnAssign) and outer.target is node:
        return Done(Act.REPLACE, "=") if outer.value is not None else READ
    if isinstance(outer, cst.Element) and _is_target(source, outer):
        value = own_value(source, outer)
        built = value is not None and _builds_on(value, path_of(node))
        return Done(Act.UPDATE if built else Act.REPLACE, "=")
    if isinstance(outer, (cst.For, cst.CompFor)) and outer.target is node:
        return Done(Act.REPLACE, "for")
    if isinstance(outer, cst.Del):
        return Done(Act.REPLACE, "del")
    if isinstance(outer, cst.Subscript) and outer.value is node:
        return _subscripted(source, node, outer)
    if isinstance(outer, cst.Attribute) and outer.value is node:
        return _method(source, node, outer)
    if isinstance(outer, cst.Arg):
        return _given(source, outer)
    return Done(Act.ITERATE, "for") if iterated(source, outer, node) else READ


def _given(source: Source, argument: cst.Arg) -> Done:
    """`heapq.heappush(node, x)`; `enumerate(node)` in a loop."""
    call = source.parent(argument)
    names = source.names(call.func) if isinstance(call, cst.Call) and call.args[0] is argument else ()
    changing = next((CHANGE_GIVEN[name] for name in names if name in CHANGE_GIVEN), "")
    if changing:
        return Done(Act.CHANGE, changing, changing != "sort")
    return Done(Act.ITERATE, "for") if iterated(source, argument, argument.value) else READ


def _is_target(source: Source, element: cst.Element) -> bool:
    """`a, self.b = …`, `for a, self.b in …`."""
    outer = source.parent(element)
    return isinstance(outer, (cst.Tuple, cst.List)) and isinstance(source.parent(outer), cst.AssignTarget)


def _assigned(source: Source, node: State, target: cst.AssignTarget) -> Done:
    statement = source.parent(target)
    value = statement.value if isinstance(statement, cst.Assign) else None
    if value is not None and _builds_on(value, path_of(node)):
        return Done(Act.UPDATE, "=")
    if value is not None and (how := _rebuilt(value, path_of(node))):
        return Done(Act.COMPOUND, how)
    return Done(Act.REPLACE, "=None" if value is not None and path_of(value) == "None" else "=")


def own_value(source: Source, element: cst.Element) -> cst.BaseExpression | None:
    """What this part of `a, self.b = …` gets, where that stands in the same place."""
    targets = source.parent(element)
    target = source.parent(targets) if targets is not None else None
    statement = source.parent(target) if target is not None else None
    if not isinstance(targets, (cst.Tuple, cst.List)) or not isinstance(statement, cst.Assign):
        return None
    given = statement.value.elements if isinstance(statement.value, (cst.Tuple, cst.List)) else ()
    return given[targets.elements.index(element)].value if len(given) == len(targets.elements) else None


def _builds_on(value: cst.BaseExpression, path: str) -> bool:
    """Whether a new value is computed from the old: `x + 1`, `max(x, y)`, but not a hand-over `a, x = x, []`."""
    if isinstance(value, cst.BinaryOperation):
        return any(path_of(part) == path for part in below(value) if isinstance(part, (cst.Name, cst.Attribute)))
    if isinstance(value, cst.Call) and path_of(value.func) in ("max", "min"):
        return any(path_of(arg.value) == path for arg in value.args)
    if isinstance(value, cst.IfExp):
        return _is_larger(value, path)
    if isinstance(value, (cst.List, cst.Tuple, cst.Set, cst.Dict)):
        starred = (cst.StarredElement, cst.StarredDictElement)
        return any(isinstance(one, starred) and path_of(one.value) == path for one in value.elements)
    return False


def _rebuilt(value: cst.BaseExpression, path: str) -> str:
    """How a new container is made of items of the old: `[x for x in items if …]`, `items[-9:]`; "" if it is not."""
    if isinstance(value, (cst.ListComp, cst.SetComp, cst.DictComp)):
        walked = value.for_in.iter
        view = walked.func if isinstance(walked, cst.Call) and not walked.args else None
        named = view.value if isinstance(view, cst.Attribute) and view.attr.value in VIEWS else walked
        return REBUILT if path_of(named) == path and value.for_in.ifs else ""
    if isinstance(value, cst.Subscript):
        return EMPTIED if path_of(value.value) == path and isinstance(value.slice[0].slice, cst.Slice) else ""
    if not isinstance(value, cst.Call) or not value.args:
        return ""
    if path_of(value.func) == "filter" and len(value.args) > 1:
        return REBUILT if path_of(value.args[1].value) == path else ""
    return _rebuilt(value.args[0].value, path) if path_of(value.func) in ("list", "set", "tuple", "sorted") else ""


def _is_larger(value: cst.IfExp, path: str) -> bool:
    """`size if size > self.worst else self.worst`."""
    kept = path in (path_of(value.body), path_of(value.orelse))
    if not kept or not isinstance(value.test, cst.Comparison) or len(value.test.comparisons) != 1:
        return False
    asked = value.test.comparisons[0]
    ordered = (cst.LessThan, cst.LessThanEqual, cst.GreaterThan, cst.GreaterThanEqual)
    return isinstance(asked.operator, ordered) and path in (path_of(value.test.left), path_of(asked.comparator))


def _in_place(source: Source, node: State, statement: cst.AugAssign) -> bool:
    """`items += [x]` extends the list in one step; on a name it also rebinds it to the same object."""
    return isinstance(statement.operator, cst.AddAssign) and "builtins.list" in source.types(node)


def _subscripted(source: Source, node: State, item: cst.Subscript) -> Done:
    outer = source.parent(item)
    if isinstance(outer, cst.AugAssign) and outer.target is item:
        operation = OWN if _is_given(source, node, item) else source.operator(outer)
        return Done(Act.UPDATE_ITEM, operation, not _is_slot(source, node), constant_key(item))
    if isinstance(outer, cst.Del):
        place = item.slice[0].slice
        if isinstance(place, cst.Slice) and place.lower is None and place.upper is None and place.step is None:
            return Done(Act.CHANGE, CUT, True)
        told = isinstance(place, cst.Index) and _looked_up(source, place.value, node)
        return Done(Act.COMPOUND if told else Act.CHANGE, "del", True, constant_key(item))
    if isinstance(outer, cst.AssignTarget):
        statement = source.parent(outer)
        value = statement.value if isinstance(statement, cst.Assign) else None
        act = _item_assigned(source, node, item, value)
        operation = OWN if act is Act.UPDATE_ITEM and _is_given(source, node, item) else "="
        return Done(act, operation, not _is_slot(source, node), constant_key(item))
    if isinstance(outer, cst.Element) and _is_target(source, outer):
        act = _item_assigned(source, node, item, source.nearest(outer, cst.Assign))
        return Done(act, "=", not _is_slot(source, node), constant_key(item))
    return READ


def constant_key(item: cst.Subscript) -> str:
    """The key, where it is written as a constant."""
    first = item.slice[0].slice
    return constant(first.value) if len(item.slice) == 1 and isinstance(first, cst.Index) else ""


def constant(key: cst.BaseExpression) -> str:
    return key.value if isinstance(key, (cst.SimpleString, cst.Integer)) else ""


def _is_slot(source: Source, node: State) -> bool:
    """Assigning to a list's item keeps its length."""
    return "builtins.list" in source.types(node)


def _is_given(source: Source, node: State, item: cst.Subscript) -> bool:
    """Whether the item of a list goes by the number that the function was given: a worker's own, most likely."""
    if set(source.types(node)) - {"builtins.list"}:
        return False
    key, around = _keys(source, item), source.function_node(item)
    params = around.params.params if isinstance(around, cst.FunctionDef) else ()
    return bool(NUMBER.search(key)) and any(param.name.value == key for param in params)


def _item_assigned(source: Source, node: State, item: cst.Subscript, value: cst.CSTNode | None) -> Act:
    """What `d[key] = value` is; of `d[a], d[b] = …` the whole statement is the value."""
    path, key = path_of(node), _keys(source, item)
    if _counts_items(item.slice, path):
        return Act.COMPOUND  # `d[len(d)] = x`
    for part in below(value) if value is not None else ():
        if isinstance(part, cst.Subscript) and path_of(part.value) == path and not _is_stored(source, part):
            return Act.UPDATE_ITEM if _keys(source, part) == key else Act.COMPOUND
        if isinstance(part, cst.Call) and path_of(part.func) == path + ".get" and part.args:
            return Act.UPDATE_ITEM if source.code(part.args[0].value) == key else Act.COMPOUND
        if isinstance(part, cst.Call) and _counts_items((part,), path):
            return Act.COMPOUND
    return Act.CHANGE


def _is_stored(source: Source, part: cst.Subscript) -> bool:
    """Whether the item is one that `d[a], d[b] = …` sets."""
    outer = source.parent(part)
    return isinstance(outer, cst.AssignTarget) or (isinstance(outer, cst.Element) and _is_target(source, outer))


def _counts_items(nodes: Iterable[cst.CSTNode], path: str) -> bool:
    """Whether `len(path)` is asked there: the number that the next item gets."""
    return any(
        isinstance(part, cst.Call)
        and path_of(part.func) == "len"
        and [path_of(arg.value) for arg in part.args] == [path]
        for node in nodes
        for part in below(node)
    )


def _keys(source: Source, item: cst.Subscript) -> str:
    return ",".join(source.code(one.slice) for one in item.slice)


def _method(source: Source, node: State, attribute: cst.Attribute) -> Done:
    call = source.parent(attribute)
    name = attribute.attr.value
    if not isinstance(call, cst.Call) or call.func is not attribute:
        return READ
    if name in VIEWS:
        return Done(Act.ITERATE, name) if iterated(source, source.parent(call), call) else READ
    if name not in CHANGING or not _is_container(source, node):
        return READ
    found = name == "pop" and bool(call.args) and _looked_up(source, call.args[0].value, node)
    if found or any(_reads_items(part, path_of(node)) for arg in call.args for part in below(arg)):
        return Done(Act.COMPOUND, name, name not in KEEPING)
    return Done(Act.CHANGE, name, CHANGING[name] and (name not in KEEPING or DEQUE in source.types(node)))


def _looked_up(source: Source, place: cst.BaseExpression, node: State) -> bool:
    """`items.pop(items.index(x))`; `place = items.index(x)`, and then `items.pop(place)`."""
    if not isinstance(place, cst.Name):
        return _asks_where(place, node)
    around = source.function_node(node)
    if not isinstance(around, cst.FunctionDef):
        return False
    assigned = [
        one.value
        for one in source.inside(around.body, cst.Assign)
        if [path_of(target.target) for target in one.targets] == [place.value]
    ]
    return bool(assigned) and all(_asks_where(value, node) for value in assigned)


def _asks_where(value: cst.BaseExpression, node: State) -> bool:
    """`items.index(x)`."""
    return isinstance(value, cst.Call) and path_of(value.func) == f"{path_of(node)}.index"


def _reads_items(part: cst.CSTNode, path: str) -> bool:
    """`stack[-1]`, `stack.pop()`, `len(stack)`."""
    if isinstance(part, cst.Subscript):
        return path_of(part.value) == path
    if not isinstance(part, cst.Call):
        return False
    return path_of(part.func) in (f"{path}.pop", f"{path}.popleft") or _counts_items((part,), path)


def _is_container(source: Source, node: State) -> bool:
    """A container as far as anybody can tell: its type is known to be one, or not known at all."""
    types = source.types(node)
    return not types or any(name in source.knowledge.mutators for name in types)


def iterated(source: Source, outer: cst.CSTNode | None, node: cst.CSTNode) -> bool:
    """`for x in node`, `for i, x in enumerate(node)`."""
    call = source.parent(outer) if isinstance(outer, cst.Arg) else None
    if isinstance(call, cst.Call) and path_of(call.func).rpartition(".")[2] in LAZY:
        outer, node = source.parent(call), call
    if isinstance(outer, cst.CompFor) and outer.iter is node:
        return not _in_rebuilding(source, outer, node)
    return isinstance(outer, cst.For) and outer.iter is node


def _in_rebuilding(source: Source, walk: cst.CompFor, walked: cst.CSTNode) -> bool:
    """Whether what the walk makes takes the place of what it walks over: one act of two steps."""
    assign = source.parent(source.parent(walk) or walk)
    target = assign.targets[0].target if isinstance(assign, cst.Assign) else None
    view = walked.func if isinstance(walked, cst.Call) else None
    named = view.value if isinstance(view, cst.Attribute) else walked
    return target is not None and bool(walk.ifs) and path_of(target) == path_of(named)
