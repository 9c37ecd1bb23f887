"""Work given to pools: which calls give it, what they return, and what becomes of that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from conclint.knowledge.pools import FUTURE, GIVES, LAST, POOLS, WAITS, Gives
from conclint.source.literals import bindings
from conclint.source.paths import path_of
from conclint.source.variables import added_to, bound_to, is_target, made_empty, only_fills, reads

if TYPE_CHECKING:
    from conclint.program.scene import TargetScene
    from conclint.source.source import Source

METHODS = frozenset(name.rpartition(".")[2] for name in GIVES)


class Given(NamedTuple):
    """A call that gives work to a pool: `pool.submit(f, x)`."""

    call: cst.Call
    func: cst.Attribute
    gives: Gives

    @property
    def pool(self) -> cst.BaseExpression:
        return self.func.value

    @property
    def work(self) -> cst.Arg | None:
        """The argument that says what is to be called."""
        first = self.call.args[0] if self.call.args else None
        named = next((arg for arg in self.call.args if arg.keyword is not None and arg.keyword.value == "func"), None)
        return named or (first if first is not None and not first.star and first.keyword is None else None)


def given(source: Source) -> Iterator[Given]:
    """Every call in the parsed regions that gives work to a pool."""
    for call in source.all(cst.Call):
        func = call.func
        if isinstance(func, cst.Attribute) and func.attr.value in METHODS:
            known = next((GIVES[name] for name in source.names(func) if name in GIVES), None)
            if known is not None:
                yield Given(call, func, known)


def future_of(source: Source, node: cst.BaseExpression) -> Given | None:
    """The call whose future an expression stands for: the call itself, or a local that holds just it."""
    if isinstance(node, cst.Call):
        return next((one for one in given(source) if one.call is node), None)
    if not isinstance(node, cst.Name) or FUTURE not in source.types(node):
        return None
    function = source.function_node(node)
    same = (one for one in given(source) if source.function_node(one.call) is function)
    held = [one for one in same if (name := bound_to(source, one.call)) is not None and name.value == node.value]
    return held[0] if len(held) == 1 else None


def maker(source: Source, pool: cst.BaseExpression) -> cst.Call | None:
    """The call that makes a pool: that of the `with` block around, or the only one in the parsed regions."""
    for block in source.ancestors(pool):
        for item in block.items if isinstance(block, cst.With) else ():
            if item.asname is not None and path_of(item.asname.name) == path_of(pool):
                return item.item if isinstance(item.item, cst.Call) and source.calls(item.item, *POOLS) else None
    wanted = source.named(pool).store
    if wanted is None:
        return None
    found = []
    for call in source.all(cst.Call):
        outer = source.parent(call)
        target = _target(outer) if outer is not None else None
        if target is not None and path_of(call.func) and source.named(target).store == wanted:
            found.append(call)
    return found[0] if len(found) == 1 and source.calls(found[0], *POOLS) else None


def _target(outer: cst.CSTNode) -> cst.BaseExpression | None:
    """What the value in an assignment or `with` item is bound to."""
    if isinstance(outer, cst.WithItem) and outer.asname is not None:
        return outer.asname.name if isinstance(outer.asname.name, cst.BaseExpression) else None
    if isinstance(outer, cst.Assign) and len(outer.targets) == 1:
        return outer.targets[0].target
    return outer.target if isinstance(outer, cst.AnnAssign) else None


def one_worker(source: Source, made: cst.Call) -> bool:
    """Whether the pool has a single worker, or one for each call: what it is given runs there on purpose."""
    size, calls = source.argument(made, "max_workers", 0), source.argument(made, "max_tasks_per_child")
    return calls is not None or (size is not None and source.code(size.value) == "1")


def lost(source: Source, call: cst.CSTNode) -> bool:
    """Whether nobody ever looks at what the call returns: dropped, or kept in a variable that is never read."""
    outer = source.parent(call)
    made = source.parent(outer) if isinstance(outer, (cst.ListComp, cst.SetComp)) else outer
    if isinstance(made, cst.Expr):
        return True
    name = bound_to(source, call)
    if name is not None:
        return name.value != "_" and not reads(source, name)
    container = added_to(source, call)
    if container is None:
        return False
    read = reads(source, container)
    return read != [container] and all(only_fills(source, one) for one in read) and _own(source, container)


def _own(source: Source, container: cst.Name) -> bool:
    return is_target(source, container) or made_empty(source, container)


def waited_for(source: Source, one: Given) -> bool:
    """Whether the function that gives the work also waits for its result, without a limit."""
    outer = source.parent(one.call)
    if one.gives is Gives.RESULTS:
        return isinstance(outer, (cst.For, cst.CompFor, cst.Arg, cst.StarredElement, cst.StarredDictElement))
    if isinstance(outer, cst.Attribute):
        return outer.attr.value in ("result", "exception") and _unlimited(source.parent(outer))
    kept = _kept(source, one.call)
    if kept is None:
        return False
    function, begun = source.function_node(one.call), source.sequence(source.statement(one.call))
    for call in source.all(cst.Call):
        if source.sequence(call) >= begun and _inside(source, call, function):
            asked = isinstance(call.func, cst.Attribute) and call.func.attr.value == "result" and _unlimited(call)
            if asked or source.calls(call, *WAITS):
                return True
    return False


def _kept(source: Source, call: cst.CSTNode) -> cst.CSTNode | None:
    """Where the function keeps the future for itself: a variable, or what it iterates over or waits for at once."""
    name = bound_to(source, call) or added_to(source, call)
    outer = source.parent(call)
    if name is not None:
        return name
    if isinstance(outer, (cst.ListComp, cst.SetComp, cst.GeneratorExp)):
        outer = source.parent(outer)
    elif isinstance(outer, cst.Element):
        around = source.parent(outer)
        outer = source.parent(around) if around is not None else None
    return outer if isinstance(outer, (cst.Arg, cst.CompFor, cst.For)) else None


def _inside(source: Source, node: cst.CSTNode, function: cst.CSTNode | None) -> bool:
    around = source.function_node(node)
    return around is function or (isinstance(around, cst.Lambda) and source.function_node(around) is function)


def _unlimited(call: cst.CSTNode | None) -> bool:
    return isinstance(call, cst.Call) and not call.args


def targets(source: Source, one: Given) -> tuple[TargetScene, ...]:
    """The functions of the program that are given to the pool."""
    return source.starts(one.call)[1]


def handles_its_errors(source: Source, one: Given) -> bool:
    """Whether all that the pool is given lets no exception pass, or only ends something."""
    if one.work is not None and path_of(one.work.value).rpartition(".")[2] in LAST:
        return True
    found = targets(source, one)
    return bool(found) and all(target.catches for target in found)


def calls_what_is_given(source: Source, one: Given) -> bool:
    """Whether the work is a function on the spot that calls, in a `try … finally`, what its maker was given to call."""
    around = source.function_node(one.call)
    if not isinstance(around, cst.FunctionDef) or one.work is None:
        return False
    name, inner = path_of(one.work.value), source.inside(around.body, cst.FunctionDef)
    nested = next((part for part in inner if part.name.value == name), None)
    if nested is None or not any(part.finalbody for part in source.inside(nested.body, cst.Try)):
        return False
    params = {part.name.value for part in bindings(source, around) if isinstance(part, cst.Param)} - {"self", "cls"}
    calls = source.inside(nested.body, cst.Call)
    told = (value for call in calls for value in (call.func, *(arg.value for arg in call.args[:1])))
    return any(path_of(value) in params for value in told)


def is_seen(source: Source, one: Given) -> bool:
    """Whether it is known what the pool is given: functions of the program, or of a library."""
    return bool(targets(source, one)) or (one.work is not None and bool(source.names(one.work.value)))
