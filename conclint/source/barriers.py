"""How many threads come to a barrier, where constants tell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from conclint.program.values import function_id
from conclint.source.paths import path_of
from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.source.source import Source

BARRIERS = ("threading.Barrier", "multiprocessing.Barrier")
POOLS = ("concurrent.futures.ThreadPoolExecutor", "concurrent.futures.ProcessPoolExecutor")
WORKERS = ("threading.Thread", "multiprocessing.Process")


class Meeting(NamedTuple):
    """A barrier for `parties`, to which `coming` come at once at most."""

    call: cst.Call
    parties: int
    coming: int


def meetings(source: Source) -> Iterator[Meeting]:
    """The barriers of which both numbers are known."""
    for call in source.all(cst.Call):
        if source.calls(call, *BARRIERS):
            arg = source.argument(call, "parties", 0)
            name = _name(source, call)
            parties = _number(arg.value) if arg is not None else None
            coming = _coming(source, name) if name is not None and parties else None
            if parties and coming:
                yield Meeting(call, parties, coming)


def _name(source: Source, call: cst.Call) -> cst.Name | None:
    """The variable that alone holds the barrier."""
    assign = source.parent(call)
    if not isinstance(assign, cst.Assign) or len(assign.targets) != 1:
        return None
    target = assign.targets[0].target
    return target if isinstance(target, cst.Name) else None


def _coming(source: Source, name: cst.Name) -> int | None:
    """How many come at once: workers that are started for it, and the starter; None where that cannot be told."""
    total, homes = 0, set()
    for use in source.all(cst.Name):
        if use.value != name.value or use is name or source.named(use).store != source.named(name).store:
            continue
        outer = source.parent(use)
        if isinstance(outer, cst.Attribute) and outer.value is use:
            if outer.attr.value not in ("wait", "abort", "reset"):
                return None
        elif not _is_given(source, use):
            return None  # it goes where nobody can count
    for start in source.all(cst.Call):
        if _comes(source, start, name):
            number = _repeated(source, start)
            if number is None:
                return None
            total += number
            homes.add(source.qualname(start))
    if len(homes) != 1:
        return None
    return total + _waits_itself(source, name, homes.pop())


def _is_given(source: Source, use: cst.Name) -> bool:
    """Whether it is an argument of a start: `args=(barrier,)`, `submit(work, barrier)`."""
    call = source.nearest(use, cst.Call)
    return call is not None and _starts(source, call)


def _starts(source: Source, call: cst.Call) -> bool:
    return source.calls(call, *WORKERS, *(f"{pool}.submit" for pool in POOLS), "concurrent.futures.Executor.submit")


def _comes(source: Source, start: cst.Call, name: cst.Name) -> bool:
    """Whether what is started waits at the barrier: it names it, or is given it."""
    if not _starts(source, start):
        return False
    if any(_is_same(source, node, name) for arg in start.args for node in below(arg)):
        return True
    targets = {identity for arg in start.args for identity in source.named(arg.value).functions}
    return any(
        isinstance(node, cst.Attribute) and node.attr.value == "wait" and _is_same(source, node.value, name)
        for function in source.all(cst.FunctionDef)
        if function_id(source.path, source.qualname_of(function)) in targets
        for node in below(function.body)
    )


def _is_same(source: Source, node: cst.CSTNode, name: cst.Name) -> bool:
    """Whether the node is the variable itself, not one of that name in another function."""
    same = isinstance(node, cst.Name) and node.value == name.value
    return same and source.named(node).store == source.named(name).store


def _repeated(source: Source, start: cst.Call) -> int | None:
    """How often the start happens; a pool lets no more come at once than it has workers."""
    found = 1
    child: cst.CSTNode = start
    for outer in source.ancestors(start):
        if isinstance(outer, (cst.FunctionDef, cst.Lambda)):
            break
        if isinstance(outer, cst.While) or (isinstance(outer, cst.If) and child is not outer.test):
            return None
        number = _rounds(outer, child)
        if number is None:
            return None
        found *= number
        child = outer
    limit = _workers(source, start)
    return found if limit is None else min(found, limit) or None


def _rounds(outer: cst.CSTNode, child: cst.CSTNode) -> int | None:
    """How many rounds a loop around has; 1 for what is no loop."""
    if isinstance(outer, cst.For):
        return _length(outer.iter) if child is outer.body else 1
    if isinstance(outer, (cst.ListComp, cst.SetComp, cst.GeneratorExp)):
        inner = outer.for_in.inner_for_in
        return _length(outer.for_in.iter) if inner is None and not outer.for_in.ifs else None
    return 1


def _length(iterated: cst.BaseExpression) -> int | None:
    if isinstance(iterated, (cst.List, cst.Tuple)):
        return None if any(isinstance(one, cst.StarredElement) for one in iterated.elements) else len(iterated.elements)
    if isinstance(iterated, cst.Call) and path_of(iterated.func) == "range" and len(iterated.args) == 1:
        return _number(iterated.args[0].value)
    return None


def _number(node: cst.BaseExpression) -> int | None:
    return int(node.value, 0) if isinstance(node, cst.Integer) else None


def _workers(source: Source, start: cst.Call) -> int | None:
    """How many workers the pool has, of which the start asks one; 0 where that is not known."""
    if source.calls(start, *WORKERS):
        return None
    pool = path_of(start.func).rpartition(".")[0]
    for block in source.ancestors(start):
        for item in block.items if isinstance(block, cst.With) else ():
            made = item.item
            if item.asname is not None and path_of(item.asname.name) == pool and isinstance(made, cst.Call):
                arg = source.argument(made, "max_workers", 0)
                return (_number(arg.value) if arg is not None else None) or 0
    return 0


def _waits_itself(source: Source, name: cst.Name, home: str) -> int:
    """Whether the function that starts the others comes to the barrier too."""
    waits = (call for call in source.all(cst.Call) if path_of(call.func) == f"{name.value}.wait")
    return int(any(source.qualname(call) == home for call in waits))
