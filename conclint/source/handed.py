"""Objects that are handed to a worker, and changed before that can have looked at them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst

from conclint.knowledge.handing import BUFFERS, FILLING, HANDING, QUEUED, STARTED, WAITING
from conclint.source.acts import State
from conclint.source.paths import path_of
from conclint.source.questions import same_function
from conclint.source.source import LOOPS, Source
from conclint.source.tree import below

CONTAINERS = frozenset(
    f"builtins.{name}" for name in ("list", "dict", "set", "bytearray")
) | frozenset(f"collections.{name}" for name in ("deque", "defaultdict", "OrderedDict", "Counter"))  # fmt: skip

LITERALS = (cst.List, cst.Dict, cst.Set, cst.ListComp, cst.DictComp, cst.SetComp)

CONSTANT = (cst.SimpleString, cst.Integer)

# Values of flags: whoever turns one means the worker to see it.
FLAGS = frozenset({"True", "False", "None"})


class Change(NamedTuple):
    """The object is changed by `node`: emptied, or something in it (`key`) is replaced."""

    node: cst.CSTNode
    empties: bool
    key: str = ""
    value: cst.BaseExpression | None = None


class Handed(NamedTuple):
    """`given` is handed over by `call`, and changed by `change` all the same."""

    call: cst.Call
    given: State
    change: Change


class HandingOver:
    """Finds them in one file."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._known: dict[int, dict[str, list[Change]]] = {}  # by the `id` of the body
        self._codes: dict[int, list[cst.CSTNode]] = {}

    def all(self) -> Iterator[Handed]:
        """The first harmful change for each object that a call hands over."""
        for call in self._source.all(cst.Call):
            how = next((name for name in self._source.names(call.func) if name in HANDING), "")
            if not how or (how not in QUEUED and self._waited_for(call)):
                continue
            for given in self._given(call):
                found = next((one for one in self._changes(given) if self._harms(call, how, given, one)), None)
                if found is not None:
                    yield Handed(call, given, found)

    def _waited_for(self, call: cst.Call) -> bool:
        """`await loop.run_in_executor(…)`, `pool.submit(…).result()`."""
        outer = self._source.parent(call)
        return isinstance(outer, cst.Await) or (isinstance(outer, cst.Attribute) and outer.attr.value in WAITING)

    # -- what is handed over

    def _given(self, call: cst.Call) -> Iterator[State]:
        for arg in call.args:
            for value in _parts(arg.value):
                if isinstance(value, (cst.Name, cst.Attribute)) and path_of(value):
                    yield value

    def _body(self, given: State) -> cst.CSTNode:
        around = self._source.function_node(given)
        return around.body if around is not None else self._source.module(given)

    def _nodes(self, given: State) -> list[cst.CSTNode]:
        """The own code of the function, or of the module."""
        body = self._body(given)
        known = self._codes.get(id(body))
        if known is None:
            known = self._codes[id(body)] = list(same_function(body))
        return known

    def _changes(self, given: State) -> list[Change]:
        """What its function does to the object, in the order of the text."""
        body = self._body(given)
        known = self._known.get(id(body))
        if known is None:
            known = self._known[id(body)] = {}
            for node in self._nodes(given):
                for path, change in self._changed(node):
                    known.setdefault(path, []).append(change)
        return known.get(path_of(given), [])

    def _changed(self, node: cst.CSTNode) -> Iterator[tuple[str, Change]]:
        """The paths of the objects that the node changes."""
        if isinstance(node, cst.Assign):
            for target in node.targets:
                yield from _assigned(node, target.target, node.value)
        elif isinstance(node, cst.AugAssign):
            yield from _assigned(node, node.target, None)
        elif isinstance(node, cst.Del) and isinstance(node.target, cst.Subscript):
            if _is_slice(node.target):
                yield path_of(node.target.value), Change(node, empties=True)
        elif isinstance(node, cst.Call):
            owner, _, method = path_of(node.func).rpartition(".")
            if method == "clear" and owner:
                yield owner, Change(self._source.statement(node), empties=True)
            yield from ((path, Change(node, empties=False)) for path in _filled(node))

    # -- whether the change does harm

    def _harms(self, call: cst.Call, how: str, given: State, change: Change) -> bool:
        if change.empties and self._is_container(given) and self._comes_after(call, how, given, change):
            return True
        if not self._is_own(given):
            return False
        if self._in_one_loop(call, given, change):
            return True
        after = not change.empties and self._comes_after(call, how, given, change)
        return after and self._is_meant_for_another(call, how, given, change)

    def _is_container(self, given: State) -> bool:
        return bool(CONTAINERS & {*self._source.types(given)})

    def _is_own(self, given: State) -> bool:
        """Whether the function makes the object itself, as a plain container or of a class of the program."""
        bindings = self._bindings(given)
        return isinstance(given, cst.Name) and bool(bindings) and all(self._makes(one) for one in bindings)

    def _makes(self, binding: cst.Assign) -> bool:
        value = binding.value
        if isinstance(value, LITERALS):
            return True
        if not isinstance(value, cst.Call):
            return False
        names = self._source.names(value.func)
        known = any(name in CONTAINERS or name in BUFFERS or ":" in name for name in names)
        return known or path_of(value.func).endswith(".copy")

    def _bindings(self, given: State) -> list[cst.Assign]:
        """Empty where anything but an assignment binds it too."""
        around, path = self._source.function_node(given), path_of(given)
        if around is not None and any(isinstance(one, cst.Param) and one.name.value == path for one in below(around)):
            return []
        found = []
        for node in self._nodes(given):
            if isinstance(node, cst.Assign) and any(path_of(one.target) == path for one in node.targets):
                found.append(node)
            elif isinstance(node, (cst.For, cst.CompFor, cst.AsName, cst.NamedExpr, cst.Global, cst.Nonlocal)):
                target = node.names if isinstance(node, (cst.Global, cst.Nonlocal)) else ()
                named = {one.name.value for one in target}
                if isinstance(node, (cst.For, cst.CompFor, cst.NamedExpr)):
                    named = {one.value for one in below(node.target) if isinstance(one, cst.Name)}
                elif isinstance(node, cst.AsName):
                    named = {path_of(node.name)}
                if path in named:
                    return []
        return found

    def _in_one_loop(self, call: cst.Call, given: State, change: Change) -> bool:
        """Whether each round of a loop hands over the same object, and changes it for the next one."""
        for loop in self._source.ancestors(call):
            if isinstance(loop, (cst.FunctionDef, cst.Lambda, cst.ClassDef)):
                return False
            if isinstance(loop, LOOPS) and self._within(loop, change.node):
                if any(self._within(loop, one) for one in self._bindings(given)):
                    return False
                return not self._waits(self._source.sequence(loop), self._end(loop), loop)
        return False

    def _comes_after(self, call: cst.Call, how: str, given: State, change: Change) -> bool:
        """Whether the change surely follows, with the same object, and without a wait for the worker."""
        first = self._started(call) if how in STARTED else self._end(call)
        last = self._source.sequence(change.node)
        if first is None or last <= first or not self._follows(call, change.node):
            return False
        if any(first < self._source.sequence(one) < last for one in self._bindings_of(given)):
            return False
        around = self._source.function_node(call)
        return not self._waits(first, last, around.body if around is not None else self._source.module(call))

    def _bindings_of(self, given: State) -> list[cst.Assign]:
        path = path_of(given)
        return [
            node
            for node in self._nodes(given)
            if isinstance(node, cst.Assign) and any(path_of(one.target) == path for one in node.targets)
        ]

    def _follows(self, call: cst.Call, change: cst.CSTNode) -> bool:
        """Whether the change stands in the call's block, or in one around it, and not outside of a pool's `with`."""
        block = self._source.parent(self._source.statement(change))
        for outer in self._source.ancestors(call):
            if outer is block:
                return True
            if isinstance(outer, cst.With):
                return False  # which may wait in its end
        return False

    def _started(self, call: cst.Call) -> int | None:
        """Where the thread is started."""
        outer = self._source.parent(call)
        if isinstance(outer, cst.Attribute) and outer.attr.value == "start":
            return self._end(call)
        name = path_of(outer.targets[0].target) if isinstance(outer, cst.Assign) else ""
        around = self._source.function_node(call)
        nodes = same_function(around.body if around is not None else self._source.module(call))
        starts = [one for one in nodes if isinstance(one, cst.Call) and path_of(one.func) == name + ".start"]
        return self._end(starts[0]) if name and starts else None

    def _waits(self, first: int, last: int, where: cst.CSTNode) -> bool:
        for node in same_function(where):
            if first < self._source.sequence(node) < last:
                if isinstance(node, cst.Call) and _waiting(node):
                    return True
                if isinstance(node, cst.Await):
                    return True
        return False

    def _is_meant_for_another(self, call: cst.Call, how: str, given: State, change: Change) -> bool:
        """Whether the object is handed over once more, or a value in it is replaced that the worker is to have."""
        path, after = path_of(given), self._source.sequence(change.node)
        for node in self._nodes(given):
            if isinstance(node, cst.Call) and node is not call and self._source.sequence(node) > after:
                handing = any(name in HANDING for name in self._source.names(node.func))
                if handing and any(path_of(one) == path for one in self._given(node)):
                    return True
        if how in STARTED or (isinstance(change.value, cst.Name) and change.value.value in FLAGS):
            return False
        return any(change.key in _keys(one.value) for one in self._bindings(given))

    def _within(self, whole: cst.CSTNode, part: cst.CSTNode) -> bool:
        return self._source.sequence(whole) <= self._source.sequence(part) <= self._end(whole)

    def _end(self, node: cst.CSTNode) -> int:
        return max(self._source.sequence(one) for one in below(node))


def _parts(value: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """The value, or what a tuple, list or dictionary that is written there contains."""
    if isinstance(value, (cst.Tuple, cst.List, cst.Dict)):
        for element in value.elements:
            if isinstance(element, (cst.Element, cst.DictElement)):
                yield element.value
    else:
        yield value


def _keys(value: cst.BaseExpression) -> set[str]:
    """The constant keys of a dictionary as it is written."""
    if not isinstance(value, cst.Dict):
        return set()
    keys = (one.key for one in value.elements if isinstance(one, cst.DictElement))
    return {key.value for key in keys if isinstance(key, CONSTANT)}


def _assigned(
    node: cst.CSTNode, target: cst.BaseExpression, value: cst.BaseExpression | None
) -> Iterator[tuple[str, Change]]:
    if isinstance(target, cst.Attribute) and path_of(target.value) != "self":
        yield path_of(target.value), Change(node, empties=False, key="." + target.attr.value, value=value)
    if isinstance(target, cst.Subscript):
        if _is_slice(target):
            yield path_of(target.value), Change(node, empties=True)
        elif key := _constant_key(target):
            yield path_of(target.value), Change(node, empties=False, key=key, value=value)


def _filled(call: cst.Call) -> Iterator[str]:
    """`file.readinto(buffer)`, `numpy.add(a, b, out=buffer)`."""
    name = path_of(call.func).rpartition(".")[2]
    out = (arg.value for arg in call.args if arg.keyword is not None and arg.keyword.value == "out")
    first = [arg.value for arg in call.args[:1]] if name in FILLING else []
    yield from dict.fromkeys(path_of(one) for one in (*first, *out))


def _is_slice(target: cst.Subscript) -> bool:
    return len(target.slice) == 1 and isinstance(target.slice[0].slice, cst.Slice)


def _constant_key(target: cst.Subscript) -> str:
    index = target.slice[0].slice
    return index.value.value if isinstance(index, cst.Index) and isinstance(index.value, CONSTANT) else ""


def _waiting(call: cst.Call) -> bool:
    """`t.join()`, `future.result()`; not `", ".join(parts)`, not `settings.get(name)`."""
    name = path_of(call.func).rpartition(".")[2]
    if isinstance(call.func, cst.Attribute) and isinstance(call.func.value, (cst.SimpleString, cst.FormattedString)):
        return False
    return name in WAITING and not (name == "get" and call.args and call.args[0].keyword is None)
