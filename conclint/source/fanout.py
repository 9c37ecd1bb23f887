"""Threads and processes of which one is made per work item: what an executor is for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.lives import PROCESS
from conclint.model import Note
from conclint.source.literals import SHORT, bindings, target_names
from conclint.source.makers import Maker, makers
from conclint.source.paths import argument, path_of
from conclint.source.testcode import in_test
from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.program.scene import FateScene, TargetScene
    from conclint.source.source import Source

# Who does this to its workers wants more than their results.
CONTROL = ("is_alive", "terminate", "kill", "cancel", "stop", "setName", "interrupt", "sentinel", "exitcode")

# What only one worker, or the workers among themselves, wait for.
MEETING = frozenset(
    {
        "threading.Event", "threading.Barrier", "threading.Condition", "multiprocessing.Event",
        "multiprocessing.Barrier", "multiprocessing.Condition", "multiprocessing.connection.Connection",
    }
)  # fmt: skip

# What a process of an executor cannot be handed: it is inherited at the start only.
INHERITED = frozenset(
    {
        "multiprocessing.Queue", "multiprocessing.SimpleQueue", "multiprocessing.Lock", "multiprocessing.RLock",
        "multiprocessing.Semaphore", "multiprocessing.sharedctypes.SynchronizedBase",
    }
)  # fmt: skip

# Made anew for each worker, these are how it is talked to.
CHANNELS = (
    "threading.Event", "threading.Barrier", "multiprocessing.Event", "multiprocessing.Pipe", "multiprocessing.Queue",
    "multiprocessing.SimpleQueue", "queue.Queue", "queue.SimpleQueue", "socket.socketpair", "os.pipe",
)  # fmt: skip

# So many at once, and no more: a bound of the author's own.
TURNS = ("threading.Semaphore.acquire", "threading.BoundedSemaphore.acquire", "multiprocessing.Semaphore.acquire")

# Iterating over these is iterating over their first argument.
THROUGH = ("enumerate", "sorted", "reversed", "list", "tuple", "zip", "set", "iter")

CONSTANT = re.compile(r"(^|\.)_*[A-Z][A-Z0-9_]*$")

# So many with one target are a fan-out even without a loop.
SEVERAL = 3


def per_item(source: Source, made: Maker) -> tuple[Note, ...] | None:
    """Where the worker is waited for, if it is one of many that an executor could run; None where it could not."""
    fate = source.fate(made.call)
    if fate is None or not fate.begun or not fate.joins:
        return None
    if not _varies(source, made, fate) or _needs_more(source, made, fate) or not _is_job(source, made, fate):
        return None
    return (Note(fate.joins[0], "joined here"),)


def for_members(source: Source, made: Maker) -> bool:
    """Whether the loop runs over what the object has in a table, by name: its members, rather than work."""
    loop = source.loop(made.call)
    paths = [path_of(one) for one in _iterables(loop)] if loop is not None else []
    return any(path.startswith("self.") and path.endswith((".items()", ".values()")) for path in paths)


def _varies(source: Source, made: Maker, fate: FateScene) -> bool:
    """Whether a loop makes one for each of its items."""
    if in_test(source, made.call):
        return False  # to be many at once, and raw, is what is tried there
    loop = source.loop(made.call)
    if loop is None:
        handed_out = fate.repeated and _is_handed_out(source, made, fate)
        return handed_out or _is_first_of_several(source, made)
    if _joins_inside(source, loop, fate) or _makes_channel(source, loop):
        return False
    names = set(_bound_by(source, loop))
    if not any(isinstance(part, cst.Name) and part.value in names for part in below(made.call)):
        return False  # as many as somebody likes, not one per item
    return all(_is_work(source, made, iterable) for iterable in _iterables(loop)) and not _is_server_loop(source, loop)


def _is_first_of_several(source: Source, made: Maker) -> bool:
    """Whether the same function makes more of them, with the same target and other work, one by one."""
    around, target = source.function_node(made.call), made.given("target")
    if target is None or made.own:
        return False
    path = path_of(target.value)
    others = (
        other
        for other in makers(source)
        if other.kind == made.kind
        and (given := other.given("target")) is not None
        and path_of(given.value) == path != ""
        and source.function_node(other.call) is around
        and source.loop(other.call) is None
    )
    first = next(others, None)
    if first is None or first.call is not made.call:
        return False  # said where the first one is made
    alike = [first, *others]
    works = {source.code(args.value) for other in alike if (args := other.given("args")) is not None}
    joined = all((fate := source.fate(other.call)) is not None and fate.joins for other in alike)
    return len(works) >= SEVERAL and len(works) == len(alike) and joined


def _joins_inside(source: Source, loop: cst.CSTNode, fate: FateScene) -> bool:
    """Each is joined before the next begins: another defect."""
    span = source.span(loop)
    return any(at.path == source.path and span.line <= at.span.line <= span.end_line for at in fate.joins)


def _makes_channel(source: Source, loop: cst.CSTNode) -> bool:
    """Whether each gets a channel of its own, or waits for its turn before it is made."""
    return any(isinstance(part, cst.Call) and source.calls(part, *CHANNELS, *TURNS) for part in below(loop))


def _bound_by(source: Source, loop: cst.CSTNode) -> Iterator[str]:
    """The names that have another value each time round."""
    if isinstance(loop, (cst.For, cst.While)):
        for part in below(loop):
            if isinstance(part, (cst.For, cst.AssignTarget, cst.NamedExpr, cst.AsName)):
                yield from target_names(part.name if isinstance(part, cst.AsName) else part.target)
            elif isinstance(part, cst.FunctionDef):
                yield part.name.value
        if isinstance(loop, cst.While):
            yield from (call for part in below(loop) if (call := _taken(part)))
        return
    for part in below(loop):
        if isinstance(part, cst.CompFor):
            yield from target_names(part.target)


def _taken(node: cst.CSTNode) -> str:
    """`items` in `items.pop()`."""
    if (
        isinstance(node, cst.Call)
        and isinstance(node.func, cst.Attribute)
        and node.func.attr.value in ("pop", "popleft")
    ):
        return path_of(node.func.value).rpartition(".")[2]
    return ""


def _iterables(loop: cst.CSTNode) -> Iterator[cst.BaseExpression]:
    if isinstance(loop, cst.For):
        yield loop.iter
    elif isinstance(loop, (cst.ListComp, cst.SetComp, cst.GeneratorExp, cst.DictComp)):
        yield loop.for_in.iter


def _is_work(source: Source, made: Maker, iterable: cst.BaseExpression) -> bool:
    """Items of unknown number: no short literal, no small or constant count, no endless stream."""
    if isinstance(iterable, (cst.List, cst.Tuple, cst.Set)):
        return len(iterable.elements) > SHORT
    if isinstance(iterable, cst.Subscript):
        return not _is_few(iterable)
    if not isinstance(iterable, cst.Call):
        return True
    if source.calls(iterable, "builtins.range"):
        return _counts_items(source, made, iterable)
    if source.calls(iterable, "builtins.iter") and len(iterable.args) == 2:
        return False
    if path_of(iterable.func) in THROUGH and iterable.args:
        return all(_is_work(source, made, arg.value) for arg in iterable.args if arg.keyword is None)
    return True


def _is_few(part: cst.Subscript) -> bool:
    """`items[:4]`."""
    index = part.slice[0].slice
    upper = index.upper if isinstance(index, cst.Slice) else None
    return isinstance(upper, cst.Integer) and int(upper.value, 0) <= SHORT


def _takes_item(part: cst.CSTNode) -> bool:
    """`items[n]`, not `items[n::workers]`, which is one worker's share."""
    return isinstance(part, cst.Subscript) and not any(isinstance(one.slice, cst.Slice) for one in part.slice)


def _counts_items(source: Source, made: Maker, counter: cst.Call) -> bool:
    """Whether a range counts items, and not how many workers there are to be: the number itself is no work."""
    if all(_is_constant(arg.value) for arg in counter.args):
        return False
    if any(isinstance(part, cst.Call) and source.calls(part, "builtins.len") for part in below(counter)):
        return True
    loop = source.loop(made.call)
    if not isinstance(loop, cst.For):
        return any(_takes_item(part) for part in below(made.call))
    derived = set(_bound_by(source, loop)) - set(target_names(loop.target))
    return any(
        _takes_item(part) or (isinstance(part, cst.Name) and part.value in derived)
        for arg in made.call.args
        for part in below(arg.value)
    )


def _is_constant(value: cst.BaseExpression) -> bool:
    return isinstance(value, (cst.Integer, cst.UnaryOperation)) or bool(CONSTANT.search(path_of(value)))


def _is_server_loop(source: Source, loop: cst.CSTNode) -> bool:
    """`while True`, `while not stopped()`: a server's loop, with one worker per connection."""
    if not isinstance(loop, cst.While):
        return False
    test = loop.test
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        test = test.expression
    return isinstance(test, (cst.Integer, cst.Call)) or path_of(test) in ("True", "self.running", "running")


def _is_handed_out(source: Source, made: Maker, fate: FateScene) -> bool:
    """Whether the function that makes it gives it work of its caller's, and leaves it to others to join it."""
    around = source.function_node(made.call)
    if around is None or _joins_inside(source, around, fate) or _makes_channel(source, around):
        return False
    given = {part.name.value for part in bindings(source, around) if isinstance(part, cst.Param)} - {"self", "cls"}
    return any(isinstance(part, cst.Name) and part.value in given for part in below(made.call))


# -- what executors lack


def _needs_more(source: Source, made: Maker, fate: FateScene) -> bool:
    """A name, a daemon, a big stack, control over each: what executors do not give."""
    if fate.daemon is not False or fate.protocol or fate.does(*CONTROL) or "stack_size(" in source.text.text:
        return True
    name = made.given("name")
    named = name is not None and path_of(name.value) != "None"
    if not made.own and (named or argument(made.call, "daemon") or made.collects):
        return True
    limited = sum(method == "join" for method, _, _ in fate.uses) > len(fate.joins)
    return limited or any(_talks(source, made, part) for part in _handed_over(made))


def _handed_over(made: Maker) -> Iterator[cst.CSTNode]:
    for arg in made.call.args:
        yield from below(arg.value)


def _talks(source: Source, made: Maker, part: cst.CSTNode) -> bool:
    if not isinstance(part, (cst.Name, cst.Attribute)):
        return False
    types = source.types(part)
    return any(one in MEETING or (made.kind == PROCESS and one in INHERITED) for one in types)


# -- what the worker does


def _is_job(source: Source, made: Maker, fate: FateScene) -> bool:
    """Whether it surely does one piece of work and ends."""
    targets = [source.target(identity) for identity in fate.targets]
    if targets:
        return len(targets) == 1 and all(target is not None and _ends(target) for target in targets)
    target = made.given("target")
    if target is None or made.own:
        return False
    knows = source.knowledge
    names = source.names(target.value)
    return bool(names) and all(knows.matches(knows.io, name) and not name.endswith("forever") for name in names)


def _ends(target: TargetScene) -> bool:
    return not target.serves and not target.meets
