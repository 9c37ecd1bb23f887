"""Functions made in a loop that look at the loop's variables when they run, not when they are made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from conclint.source.literals import target_names
from conclint.source.paths import path_of
from conclint.source.tree import below, children

if TYPE_CHECKING:
    from conclint.source.source import Source

Loop = cst.For | cst.While | cst.ListComp | cst.SetComp | cst.GeneratorExp | cst.DictComp

# What waits for the worker before the next round begins.
WAITS = frozenset({"join", "result", "wait", "get", "as_completed", "run_until_complete", "shutdown"})


class Capture(NamedTuple):
    """A function handed over at `call` in a loop; `names` are the variables that will have changed when it runs."""

    call: cst.Call
    function: cst.Lambda | cst.FunctionDef
    argument: cst.Arg
    names: tuple[str, ...]


def captures(source: Source, calls: Iterator[cst.Call]) -> Iterator[Capture]:
    """Those of the calls, in loops, that are given a function which depends on the round."""
    for call in calls:
        loop = source.loop(call)
        if not isinstance(loop, Loop) or _waits(source, call, loop) or _ends_loop(source, call, loop):
            continue
        changing = set(_changing(loop))
        for argument in call.args:
            function = _made_here(source, argument.value, loop)
            names = tuple(dict.fromkeys(_free(function, changing))) if function is not None else ()
            if function is not None and names:
                yield Capture(call, function, argument, names)


def _changing(loop: Loop) -> Iterator[str]:
    """The names that each round binds anew."""
    if isinstance(loop, (cst.For, cst.While)):
        yield from _in_body(loop)
        return
    clause: cst.CompFor | None = loop.for_in
    while clause is not None:
        yield from target_names(clause.target)
        clause = clause.inner_for_in


def _in_body(loop: cst.For | cst.While) -> Iterator[str]:
    """The loop's own variables, and what is made from them, or made anew, in its body."""
    found = set(target_names(loop.target)) if isinstance(loop, cst.For) else set()
    for part in _own(loop.body):
        if isinstance(part, cst.Assign):
            targets, value = [target.target for target in part.targets], part.value
        elif isinstance(part, cst.For):
            targets, value = [part.target], part.iter
        else:
            continue
        made = any(
            isinstance(one, cst.Call) or (isinstance(one, cst.Name) and one.value in found) for one in below(value)
        )
        if made or isinstance(part, cst.For):
            found.update(name for target in targets for name in target_names(target))
    yield from found


def _own(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """What is below the node in the same function."""
    for child in children(node):
        yield child
        if not isinstance(child, (cst.FunctionDef, cst.Lambda, cst.ClassDef)):
            yield from _own(child)


def _made_here(source: Source, value: cst.BaseExpression, loop: Loop) -> cst.Lambda | cst.FunctionDef | None:
    """A lambda, or a function that is defined in the loop's body."""
    if isinstance(value, cst.Lambda):
        return value
    if not isinstance(value, cst.Name) or not isinstance(loop, (cst.For, cst.While)):
        return None
    found = [one for one in _own(loop.body) if isinstance(one, cst.FunctionDef) and one.name.value == value.value]
    return found[0] if len(found) == 1 else None


def _free(function: cst.Lambda | cst.FunctionDef, changing: set[str]) -> Iterator[str]:
    """The changing names that the function reads without having them as its own."""
    params = function.params
    own = {
        param.name.value
        for param in (*params.posonly_params, *params.params, *params.kwonly_params, params.star_arg, params.star_kwarg)
        if isinstance(param, cst.Param)
    }
    bound = {name for part in below(function.body) for name in _bound(part)}
    for name in _names(function.body):
        if name.value in changing - own - bound:
            yield name.value


def _bound(node: cst.CSTNode) -> Iterator[str]:
    if isinstance(node, (cst.AssignTarget, cst.For, cst.CompFor)):
        yield from target_names(node.target)
    elif isinstance(node, cst.Param):
        yield node.name.value


def _names(node: cst.CSTNode) -> Iterator[cst.Name]:
    """The names that are read below the node: not attributes, not keywords; defaults are read outside."""
    if isinstance(node, cst.Name):
        yield node
    elif isinstance(node, (cst.Attribute, cst.Arg)):
        yield from _names(node.value)
    elif not isinstance(node, cst.Param):
        for child in children(node):
            yield from _names(child)


def _waits(source: Source, call: cst.Call, loop: Loop) -> bool:
    """Whether the round waits for what it has begun: `join()` in it, an `await`, a pool of its own."""
    if isinstance(source.parent(call), cst.Await):
        return True
    if not isinstance(loop, (cst.For, cst.While)):
        return False
    for part in _own(loop.body):
        if isinstance(part, cst.Call) and path_of(part.func).rpartition(".")[2] in WAITS:
            return True
        if isinstance(part, cst.With) and part in list(source.ancestors(call)):
            return True
    return False


def _ends_loop(source: Source, call: cst.Call, loop: Loop) -> bool:
    """Whether the loop is left after the call."""
    if not isinstance(loop, (cst.For, cst.While)):
        return False
    block = source.parent(source.statement(call))
    last = block.body[-1] if isinstance(block, cst.IndentedBlock) else None
    end = last.body[-1] if isinstance(last, cst.SimpleStatementLine) else None
    return isinstance(end, (cst.Return, cst.Break, cst.Raise)) or isinstance(source.parent(call), cst.Return)
