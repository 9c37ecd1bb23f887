"""The edits that turn a pool of threads into one of processes, where all that it runs can be sent to another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.model import Edit, Fix, Safety, Span
from conclint.source.imports import Import, imported
from conclint.source.paths import argument
from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.source.source import Source

EXECUTOR = "concurrent.futures.ThreadPoolExecutor"
POOL = "multiprocessing.pool.ThreadPool"

# Methods of pools, and where their callable stands: as the first argument, always.
RUNNING = frozenset(
    {"submit", "map", "apply", "apply_async", "map_async", "imap", "imap_unordered", "starmap", "starmap_async"}
)
ENDING = frozenset({"shutdown", "close", "join", "terminate"})

# Arguments that pools of threads and of processes have in common.
SHARED = frozenset({"max_workers", "initializer", "initargs", "processes"})


def into_processes(source: Source, spawn: cst.Call) -> Fix | None:
    """The fix that gives the work of `spawn`, a method called on a local pool of threads, to processes."""
    receiver = spawn.func.value if isinstance(spawn.func, cst.Attribute) else None
    made = _made(source, receiver) if isinstance(receiver, cst.Name) else None
    if made is None or not isinstance(receiver, cst.Name) or not _plain(made):
        return None
    if not all(_can_move(source, use) for use in _uses(source, receiver)):
        return None
    futures = source.calls(made, EXECUTOR)
    module, name = ("concurrent.futures", "ProcessPoolExecutor") if futures else ("multiprocessing", "Pool")
    known = _beside(source, made) or _renamed(source, made) if futures else None
    spelled = known or imported(source, module, name)
    if spelled is None:
        return None
    edits = (source.replace(made.func, spelled.spelled), *spelled.edits)
    return Fix(f"`{name}` instead of threads", edits, Safety.UNSAFE)


def _made(source: Source, receiver: cst.Name) -> cst.Call | None:
    """The call that makes the pool, if a `with` of the same function names it so, and nothing else does."""
    function = source.function_node(receiver)
    if function is None:
        return None  # at the top level there may be no main guard
    found = [
        item.item
        for block in source.all(cst.With)
        if source.function_node(block) is function
        for item in block.items
        if item.asname is not None and source.code(item.asname.name).strip() == receiver.value
    ]
    call = found[0] if len(found) == 1 else None
    return call if isinstance(call, cst.Call) and source.calls(call, EXECUTOR, POOL) else None


def _plain(made: cst.Call) -> bool:
    """Whether a pool of processes takes the same arguments."""
    words = [arg.keyword.value if arg.keyword is not None else "" for arg in made.args]
    return all(word in SHARED for word in words[1:]) and words[:1] in ([], [""], ["max_workers"], ["processes"])


def _uses(source: Source, receiver: cst.Name) -> Iterator[cst.Name]:
    function = source.function_node(receiver)
    for name in source.all(cst.Name):
        if name.value == receiver.value and source.function_node(name) is function:
            outer = source.parent(name)
            if not isinstance(outer, cst.AsName) and not (isinstance(outer, cst.Attribute) and outer.attr is name):
                yield name


def _can_move(source: Source, use: cst.Name) -> bool:
    """Whether it is a call of the pool that runs something which can be pickled."""
    attribute = source.parent(use)
    call = source.parent(attribute) if isinstance(attribute, cst.Attribute) else None
    if not isinstance(attribute, cst.Attribute) or not isinstance(call, cst.Call):
        return False
    method = attribute.attr.value
    return method in ENDING or (method in RUNNING and _picklable(source, call))


def _picklable(source: Source, call: cst.Call) -> bool:
    """A function at the top level of a module, and no argument that surely cannot be sent."""
    given = argument(call, "func", 0)
    named = source.named(given.value) if given is not None else None
    if named is None or len(named.functions) != 1 or "." in named.functions[0].rpartition(".py:")[2]:
        return False
    if any(isinstance(part, cst.Lambda) for arg in call.args for part in below(arg)):
        return False
    _, targets = source.starts(call)
    return bool(targets) and all(one.computes for one in targets)


def _beside(source: Source, made: cst.Call) -> Import | None:
    """`futures.ProcessPoolExecutor`, where the other is spelled `futures.ThreadPoolExecutor`."""
    if isinstance(made.func, cst.Attribute):
        return Import(f"{source.code(made.func.value)}.ProcessPoolExecutor", ())
    return None


def _renamed(source: Source, made: cst.Call) -> Import | None:
    """The import with the other name in it, where nothing else uses the first."""
    old, new = "ThreadPoolExecutor", "ProcessPoolExecutor"
    used = [(number, line) for number, line in enumerate(source.text.lines, start=1) if re.search(rf"\b{old}\b", line)]
    number, line = used[0] if used else (0, "")
    start = line.find(old) + 1
    plain = line.startswith("from concurrent.futures import ") and line.count(old) == 1 and new not in source.text.text
    if len(used) != 2 or not plain or source.code(made.func) != old:
        return None
    return Import(new, (Edit(Span(number, start, number, start + len(old)), new),))
