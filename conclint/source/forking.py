"""Forks beside running threads, and objects that know of forks but take their locks along."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from conclint.knowledge.kinds import Context
from conclint.knowledge.lives import PROCESS, THREAD
from conclint.model import Note
from conclint.source.makers import makers
from conclint.source.paths import path_of

if TYPE_CHECKING:
    from conclint.source.source import Source

FORKS = frozenset({"os.fork", "os.forkpty", "pty.fork"})
POOLS = frozenset({"multiprocessing.pool.Pool", "concurrent.futures.ProcessPoolExecutor"})

# What the child becomes at once, so that it needs no lock.
BECOMES = ("os.exec", "execv(", "execvp", "execve", "execl(", "execlp", "posix_spawn")


def forks(source: Source) -> Iterator[cst.Call]:
    """The calls in the parsed regions that fork this process by the program's own choice."""
    for call in source.all(cst.Call):
        if any(name in FORKS for name in source.names(call.func)):
            if not _becomes_another(source, call):
                yield call
        elif POOLS & {*source.names(call.func)} and "multiprocessing.pool.ThreadPool" not in source.names(call.func):
            yield from [call] if _is_forked(source, call) else []
    for made in makers(source):
        assign = source.parent(made.call)
        name = path_of(assign.targets[0].target) if isinstance(assign, cst.Assign) else ""
        if made.kind == PROCESS and _is_forked(source, made.call):
            yield from _starts(source, made.call, name)


def _becomes_another(source: Source, call: cst.Call) -> bool:
    function = source.function_node(call)
    return any(word in source.code(function if function is not None else source.module(call)) for word in BECOMES)


def _starts(source: Source, made: cst.Call, name: str) -> Iterator[cst.Call]:
    """Where the process is started: right away, or by its name in the same function."""
    attribute = source.parent(made)
    call = (
        source.parent(attribute) if isinstance(attribute, cst.Attribute) and attribute.attr.value == "start" else None
    )
    if isinstance(call, cst.Call):
        yield call
    function = source.function_node(made)
    for other in source.all(cst.Call) if name else ():
        if path_of(other.func) == f"{name}.start" and source.function_node(other) is function:
            yield other


def _is_forked(source: Source, made: cst.Call) -> bool:
    fate = source.fate(made)
    return fate is not None and fate.start_method == "fork"


def running_thread(source: Source, fork: cst.Call) -> tuple[Note, ...]:
    """What shows that other threads run when the process forks; nothing where nothing does."""
    started = _started_before(source, fork)
    if started is not None:
        return (Note(source.place(started), "a thread is started here"),)
    function = source.function(fork)
    runs = function.runs_in(Context.THREAD, line=source.line(fork)) if function is not None else ()
    return next((run.trace for run in runs if not run.far), ())


def _started_before(source: Source, fork: cst.Call) -> cst.Call | None:
    """The start of a thread that surely came before in the same function, and was not joined since."""
    function = source.function_node(fork)
    around = {id(one) for one in source.ancestors(fork)}
    found: cst.Call | None = None
    for call in source.all(cst.Call):
        func = call.func
        if source.function_node(call) is not function or not isinstance(func, cst.Attribute):
            continue
        if source.sequence(call) >= source.sequence(fork) or THREAD not in source.types(func.value):
            continue
        if func.attr.value == "join":
            found = None
        elif func.attr.value == "start" and id(_block(source, call)) in around:
            found = call
    return found


def _block(source: Source, call: cst.Call) -> cst.CSTNode | None:
    """The block in which the statement stands; for a loop's, that of the loop."""
    statement = source.statement(call)
    loop = source.loop(call)
    while isinstance(loop, cst.For):
        statement, loop = loop, source.loop(loop)
    return source.parent(statement)


# -- classes that know of forks


class Inherited(NamedTuple):
    """A lock that a forked child has as it was, made at `made`, held where the object looks which process it is in."""

    made: cst.Assign
    name: str
    asked: cst.CSTNode


def inherited_locks(source: Source) -> Iterator[Inherited]:
    """Locks of objects that notice a fork, which are not made anew then."""
    if "register_at_fork" in source.text.text:
        return
    seen: set[int] = set()
    for asked in _notices(source):
        for block in source.ancestors(asked):
            for one in _kept(source, block, asked) if isinstance(block, cst.With) else ():
                if id(one.made) not in seen:
                    seen.add(id(one.made))
                    yield one


def _notices(source: Source) -> Iterator[cst.CSTNode]:
    """Where an object looks, or notes, which process it is in."""
    for asked in source.all(cst.Comparison):
        sides = (asked.left, *(one.comparator for one in asked.comparisons))
        mine = any(isinstance(side, cst.Attribute) and source.is_receiver(side) for side in sides)
        if mine and any(_is_pid(source, side) for side in sides):
            yield asked
    for noted in source.all(cst.Assign):
        target = noted.targets[0].target
        if isinstance(target, cst.Attribute) and source.is_receiver(target) and _is_pid(source, noted.value):
            path = re.escape(path_of(target))
            if re.search(rf"{path} *[!=]=|[!=]= *{path}\b", source.text.text):
                yield noted


def _is_pid(source: Source, value: cst.BaseExpression) -> bool:
    """`os.getpid()`, or a local that has its answer."""
    if isinstance(value, cst.Call):
        return source.calls(value, "os.getpid")
    if not isinstance(value, cst.Name):
        return False
    around = source.function_node(value)
    bound = [
        source.parent(target)
        for target in source.all(cst.AssignTarget)
        if path_of(target.target) == value.value and source.function_node(target) is around
    ]
    calls = [one.value for one in bound if isinstance(one, cst.Assign)]
    return bool(calls) and all(isinstance(call, cst.Call) and source.calls(call, "os.getpid") for call in calls)


def _is_library(source: Source, made: cst.Call) -> bool:
    """Whether the lock is a plain one; a function of the program's own may see to it that it is made anew."""
    return any(name.startswith("threading.") for name in source.names(made.func))


def _kept(source: Source, block: cst.With, asked: cst.CSTNode) -> Iterator[Inherited]:
    """The locks that the block holds, where their only making is in the constructor."""
    for item in block.items:
        lock = item.item
        named = isinstance(lock, cst.Attribute) and source.is_receiver(lock)
        if not named or not any(name.startswith("threading.") for name in source.types(lock)):
            continue
        path, cls = path_of(lock), source.nearest(block, cst.ClassDef)
        made = [one for one in source.all(cst.Assign) if any(path_of(each.target) == path for each in one.targets)]
        mine = [one for one in made if source.nearest(one, cst.ClassDef) is cls]
        # Methods that are not parsed may make it anew, too.
        by_library = len(mine) == 1 and isinstance(mine[0].value, cst.Call) and _is_library(source, mine[0].value)
        if by_library and source.text.text.count(f"{path} =") == len(made):
            yield Inherited(mine[0], path, asked)
