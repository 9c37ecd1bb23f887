"""Loops that change what they walk over, and go on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst

from conclint.index.walks import REMOVING
from conclint.knowledge.containers import HASHED
from conclint.model import Place
from conclint.source.acts import LAZY, VIEWS
from conclint.source.leaving import goes_on
from conclint.source.literals import target_names
from conclint.source.paths import argument, path_of
from conclint.source.questions import bound_before, same_function
from conclint.source.source import Source
from conclint.source.tree import below

Loop = cst.For | cst.CompFor

LIST = "builtins.list"

# What may put items in, and into which containers a walk over them does not survive it.
GROWING = {"add": "builtins.set", "append": "collections.deque", "appendleft": "collections.deque"}


# What a function that is called does to a container of unknown type, and no other type survives.
SURE = frozenset({"del", "pop", "popitem"})


# What lists have, and dicts do not.
OF_LISTS = frozenset({"remove", "discard"})


class Walked(NamedTuple):
    """What a loop runs over: `walked` is the part to be copied; `view`: through `items()` and its like."""

    container: cst.BaseExpression
    walked: cst.BaseExpression
    view: bool = False
    keys: bool = False  # ... which is `keys()`
    counted: bool = False  # it runs over the numbers of the items


class Disturbed(NamedTuple):
    """`loop` takes items out of what it runs over at `change`; where that is a call, `by` does it, at `place`."""

    loop: Loop
    over: Walked
    change: cst.CSTNode
    types: frozenset[str]
    by: str = ""
    place: Place | None = None
    made: bool = False  # a method of which nothing is known gave the container

    @property
    def grows(self) -> bool:
        """Whether an item is put in."""
        return isinstance(self.change, cst.Call) and path_of(self.change.func).rpartition(".")[2] in GROWING

    @property
    def surely(self) -> bool:
        """Whether the container is one of Python's: other mappings may have `keys()` that gives a list.

        A widget, too, has `remove`; its loop runs over a copy of its children.
        """
        return bool(self.types) or not (self.over.keys or self.made)


def disturbed(source: Source) -> Iterator[Disturbed]:
    """At most one change for each loop."""
    functions = {walk.function for walk in source.scene.walks}
    loops: list[Loop] = [*source.all(cst.For), *source.all(cst.CompFor)]
    for loop in loops:
        if source.qualname(loop) in functions:
            walked = walked_by(source, loop)
            found = next(_changes(source, loop, walked), None) if walked is not None else None
            if found is not None:
                yield found


def is_worked_off(source: Source, found: Disturbed) -> bool:
    """Whether a `while` around the loop comes back to what a list's loop has left out, until none is there."""
    around = source.nearest(found.loop, cst.While, cst.FunctionDef)
    if not isinstance(around, cst.While) or found.types & HASHED:
        return False
    asked = path_of(found.over.container)
    return any(isinstance(part, (cst.Name, cst.Attribute)) and path_of(part) == asked for part in below(around.test))


def walked_by(source: Source, loop: Loop) -> Walked | None:
    """The container itself: no copy, and nothing that somebody else gives."""
    walked: cst.BaseExpression = loop.iter
    if isinstance(walked, cst.Call) and path_of(walked.func) == "range" and len(walked.args) == 1:
        return _counted(walked)
    if isinstance(walked, cst.Call) and isinstance(walked.func, cst.Name) and walked.func.value in LAZY and walked.args:
        walked = walked.args[1 if walked.func.value in ("map", "filter") and len(walked.args) > 1 else 0].value
    seen = bound_before(source, source.statement(loop), walked) if isinstance(walked, cst.Name) else walked
    viewed = _viewed(seen)
    if viewed is not None:
        return Walked(viewed, walked, view=True, keys=path_of(seen).endswith(".keys()"))
    return Walked(walked, walked) if _is_place(walked) else None


def _counted(numbers: cst.Call) -> Walked | None:
    """`range(len(items))`."""
    size = numbers.args[0].value
    if isinstance(size, cst.Call) and path_of(size.func) == "len" and size.args and _is_place(size.args[0].value):
        return Walked(size.args[0].value, numbers, counted=True)
    return None


def _viewed(walked: cst.BaseExpression) -> cst.BaseExpression | None:
    """`d` of `d.items()`."""
    func = walked.func if isinstance(walked, cst.Call) and not walked.args else None
    if isinstance(func, cst.Attribute) and func.attr.value in VIEWS and _is_place(func.value):
        return func.value
    return None


def _is_place(expression: cst.BaseExpression) -> bool:
    """A variable, an attribute, or an item of one."""
    while isinstance(expression, (cst.Attribute, cst.Subscript)):
        if isinstance(expression, cst.Subscript) and any(isinstance(one.slice, cst.Slice) for one in expression.slice):
            return False
        expression = expression.value
    return isinstance(expression, cst.Name)


def _changes(source: Source, loop: Loop, walked: Walked) -> Iterator[Disturbed]:
    container = walked.container
    types = _types(source, container)
    body = list(_body(source, loop))
    text, variables = source.code(container), set(target_names(loop.target))
    if types - HASHED - {LIST} or _is_made(source, container) or _is_bound(container, body):
        return
    if text in variables or _is_filled_up(source, body, text):
        return
    for part in body:
        how = _how(source, part, text)
        helps = how is None and (not walked.counted or _is_given(part, variables))
        place = _helped(source, part, container, known=bool(types)) if helps else None
        counts = place is not None or (how is not None and _counts(walked, types, how, variables))
        if counts and goes_on(source, part, loop):
            by = path_of(part.func) if place is not None and isinstance(part, cst.Call) else ""
            yield Disturbed(
                loop, walked, part, types, by, place, how is not None and _may_be_widget(source, loop, walked, how)
            )


def _may_be_widget(source: Source, loop: Loop, walked: Walked, how: How) -> bool:
    """`area = bar.get_content_area()`, and then `for child in area: area.remove(child)`."""
    container = walked.container
    if how.method not in OF_LISTS or walked.counted or not isinstance(container, cst.Name):
        return False
    made = bound_before(source, source.statement(loop), container)
    return isinstance(made, cst.Call) and isinstance(made.func, cst.Attribute)


def _is_filled_up(source: Source, body: list[cst.CSTNode], text: str) -> bool:
    """Whether other items take the place of those that are taken out."""
    inserting = (part.func for part in body if isinstance(part, cst.Call) and isinstance(part.func, cst.Attribute))
    return any(func.attr.value == "insert" and source.code(func.value) == text for func in inserting)


def _types(source: Source, container: cst.BaseExpression) -> frozenset[str]:
    """The container's types; abstract ones say no more than the methods do."""
    if "sys.modules" in source.names(container):
        return frozenset({"builtins.dict"})
    named = source.types(container)
    return frozenset(one for one in named if not one.startswith("collections.abc.") and one != "builtins.object")


def _is_made(source: Source, container: cst.BaseExpression) -> bool:
    """Whether a function or library of which nothing is known gives it: it may give a new one each time."""
    named = source.named(container)
    known = (name for name in named.names if name != "sys.modules" and not name.startswith("builtins."))
    return bool(named.functions) or any(known)


def _is_bound(container: cst.BaseExpression, body: list[cst.CSTNode]) -> bool:
    """Whether the loop gives its name, or what leads to it, to another object meanwhile, or its item to another key."""
    heads = {path_of(container), path_of(container).partition(".")[0].partition("[")[0]}
    if isinstance(container, cst.Subscript):
        heads.add(path_of(container.value))
    bound = (name for part in body for name in _bound(part))
    return any(name in heads for name in bound)


def _bound(part: cst.CSTNode) -> Iterator[str]:
    if isinstance(part, (cst.AssignTarget, cst.AnnAssign, cst.NamedExpr)):
        yield path_of(part.target)
    elif isinstance(part, (cst.For, cst.CompFor)):
        yield from target_names(part.target)


def _body(source: Source, loop: Loop) -> Iterator[cst.CSTNode]:
    """What runs in each round, in the same function."""
    if isinstance(loop, cst.For):
        yield from same_function(loop.body)
        return
    around = source.parent(loop)
    while isinstance(around, cst.CompFor):
        around = source.parent(around)
    if isinstance(around, cst.DictComp):
        yield from same_function(around.key)
        yield from same_function(around.value)
    elif isinstance(around, (cst.ListComp, cst.SetComp)):
        yield from same_function(around.elt)


class How(NamedTuple):
    """`method` (or `del`) with its first argument."""

    method: str
    key: cst.BaseExpression | None


def _how(source: Source, part: cst.CSTNode, text: str) -> How | None:
    """How the part changes the container."""
    if isinstance(part, cst.Subscript) and isinstance(source.parent(part), (cst.Del, cst.Element)):
        first = part.slice[0].slice
        deleted = isinstance(source.parent(part), cst.Del) or _in_del(source, part)
        if deleted and isinstance(first, cst.Index) and source.code(part.value) == text:
            return How("del", first.value)
    if isinstance(part, cst.Call) and isinstance(part.func, cst.Attribute) and source.code(part.func.value) == text:
        method = part.func.attr.value
        if method in REMOVING or method in GROWING:
            return How(method, part.args[0].value if part.args else None)
    return None


def _in_del(source: Source, part: cst.CSTNode) -> bool:
    """`del a[k], b[k]`."""
    outer = source.parent(source.parent(part) or part)
    return isinstance(outer, cst.Tuple) and isinstance(source.parent(outer), cst.Del)


def _counts(walked: Walked, types: frozenset[str], how: How, variables: set[str]) -> bool:
    """Whether the walk does not survive it, as far as the type tells; of an unknown one it is the item at hand."""
    own = path_of(how.key) in variables
    if walked.counted:
        return own and how.method in ("pop", "del")
    if how.method in GROWING:
        # A set has the item at hand already; a deque gets it once more.
        return GROWING[how.method] in types and not (own and how.method == "add")
    if walked.view and how.method in OF_LISTS and not types:
        return False  # neither a list nor a dict has both: a class of its own, which may give a new list
    return bool(types & HASHED) or LIST in types or own or (walked.view and how.method in ("clear", "popitem"))


def _is_given(part: cst.CSTNode, variables: set[str]) -> bool:
    """Whether a call is given the number of the item at hand: another one may be meant to be taken in each round."""
    return isinstance(part, cst.Call) and any(path_of(arg.value) in variables for arg in part.args)


def _helped(source: Source, call: cst.CSTNode, container: cst.BaseExpression, *, known: bool) -> Place | None:
    """Where the function that is called takes items out of the same container."""
    if not isinstance(call, cst.Call):
        return None
    by, path, text = path_of(call.func), path_of(container), source.code(container)
    given = any(source.code(arg.value) == text for arg in call.args)
    owner = path.rpartition(".")[0]
    same = owner == by.rpartition(".")[0] and (bool(owner) or path.strip("_").isupper())
    for walk in source.scene.walks if given or same else ():
        if (walk.by, walk.path, walk.function) == (by, path, source.qualname(call)):
            return walk.place if known or walk.how in SURE else None
    return None


def may_be_copied(found: Disturbed) -> bool:
    """Whether a loop over a copy finds the same items: one that counts them does not."""
    change, loop = found.change, found.loop
    by_number = found.over.counted or (isinstance(loop.iter, cst.Call) and path_of(loop.iter.func) == "enumerate")
    first = argument(change, "index", 0) if isinstance(change, cst.Call) else None
    numbered = not isinstance(change, cst.Call) or (path_of(change.func).endswith(".pop") and first is not None)
    return not (by_number and (numbered or found.by)) and not (LIST in found.types and numbered)
