"""Between asking whether a lock is taken and acting on it, another thread can take it or let it go.

`locked()` tells how things were a moment ago. After `if not lock.locked():` the lock may be taken all the same, and
`with lock:` waits, which the question was to prevent. After `if lock.locked(): lock.release()` the lock may be that of
another thread, which goes on without it.

To take the lock only if it is free, ask and take in one step: `if lock.acquire(blocking=False):`, and release it in a
`finally`. Who took a lock remembers that in a variable of its own, or uses `with`.

Not reported: `assert lock.locked()`, questions that are only shown or returned, asyncio's locks (between two `await`s
nobody comes in between), functions that free locks in a new process after `fork`, and tests.

https://docs.python.org/3/library/threading.html#threading.Lock.locked
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.locks import methods
from conclint.model import Finding, Note
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.lockuse import LockCall
    from conclint.source.source import Source

# A process after `fork` has one thread, and a reset is for when nobody is left.
ALONE = re.compile(r"fork|child|reset|reinit|release_.*locks", re.IGNORECASE)

LEAVING = (cst.Return, cst.Raise, cst.Continue, cst.Break)


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.lockuse import lock_calls
    from conclint.source.testcode import in_test

    for asked in lock_calls(source, "locked"):
        if not all(name.startswith(("threading.", "multiprocessing.")) for name in asked.types):
            continue
        branch = _branch(source, asked.call)
        acted = _acted_on(source, asked, branch) if branch is not None else None
        if acted is None or in_test(source, asked.call):
            continue
        node, word = acted
        advice = "`acquire(blocking=False)` asks and takes in one step" if word == "taken" else "remember who took it"
        yield Finding(
            source.place(asked.call),
            f"another thread may change what `{asked.text}.locked()` says before it is {word} here; {advice}",
            notes=(Note(source.place(node), f"it is {word} here"),),
        )


def _branch(source: Source, call: cst.Call) -> cst.If | cst.While | None:
    """The `if` or `while` of whose test the call is a part."""
    inner: cst.CSTNode = call
    for outer in source.ancestors(call):
        if isinstance(outer, (cst.If, cst.While)):
            return outer if inner is outer.test else None
        if not isinstance(outer, (cst.BooleanOperation, cst.UnaryOperation)):
            return None
        inner = outer
    return None


def _acted_on(source: Source, asked: LockCall, branch: cst.If | cst.While) -> tuple[cst.CSTNode, str] | None:
    """Where the lock is taken or released because of the answer: in the branch, or behind one that leaves."""
    if isinstance(branch, cst.While):
        after = _first(source, asked, _behind(source, branch)[1:])  # `while lock.locked(): wait()`
        return (after[0], "taken") if after is not None and after[1] == "acquire" else None
    negated = isinstance(source.parent(asked.call), cst.UnaryOperation)
    found = _first(source, asked, [branch.body] if negated or not _leaves(branch) else _behind(source, branch))
    if found is None and not negated and branch.orelse is not None:
        found = _first(source, asked, [branch.orelse])
    if found is None:
        return None
    node, method = found
    if method != "release":
        return node, "taken"
    function = source.function_node(branch)
    alone = isinstance(function, cst.FunctionDef) and ALONE.search(function.name.value)
    return None if negated or alone else (node, "released")


def _leaves(branch: cst.If) -> bool:
    last = branch.body.body[-1]
    return isinstance(last, cst.SimpleStatementLine) and isinstance(last.body[-1], LEAVING)


def _behind(source: Source, branch: cst.If | cst.While) -> list[cst.CSTNode]:
    """The rest of the block, and the branch itself, which may release before it leaves."""
    block = source.parent(branch)
    body: list[cst.CSTNode] = list(block.body) if isinstance(block, (cst.IndentedBlock, cst.Module)) else []
    place = next((number for number, one in enumerate(body) if one is branch), len(body))
    return [branch.body, *body[place + 1 :]]


def _first(source: Source, asked: LockCall, nodes: list[cst.CSTNode]) -> tuple[cst.CSTNode, str] | None:
    """The first place that takes or releases the lock."""
    from conclint.source.lockuse import body_nodes, lock_call

    for part in (part for node in nodes for part in body_nodes(node)):
        found = lock_call(source, part)
        if found is not None and found.text == asked.text and found.method in ("acquire", "release"):
            waits = found.method == "release" or isinstance(source.parent(part), cst.Expr)
            return (part, found.method) if waits else None
        if isinstance(part, cst.WithItem) and source.code(part.item) == asked.text:
            return part, "acquire"
    return None


RULE = Rule(
    code="CON423",
    name="lock-asked-before-taken",
    triggers=calls(*methods("locked")),
    check=check,
    examples=(
        Bad("""
            import threading

            lock = threading.Lock()

            def work(job):
                if not lock.locked():  # expect: CON423
                    with lock:
                        job()
            """),
        Bad("""
            from threading import Lock as Guard

            class Store:
                def __init__(self):
                    self._guard = Guard()

                def save(self, path):
                    if self._guard.locked():  # expect: CON423
                        print("somebody else saves")
                        return
                    self._guard.acquire()
                    try:
                        path.write_text("saved")
                    finally:
                        self._guard.release()

                def close(self):
                    if self._guard.locked():  # expect: CON423
                        self._guard.release()
            """),
        Bad("""
            import threading

            busy = threading.Lock()

            def poll(jobs):
                for job in jobs:
                    if busy.locked() or not job.ready:  # expect: CON423
                        continue
                    with busy:
                        job()
            """),
        Good("""
            import asyncio
            import threading

            lock = threading.Lock()
            turn = asyncio.Lock()

            def work(job):
                assert lock.locked()
                if lock.locked():
                    print("busy")
                    return
                job()

            def try_work(job):
                if not lock.locked() and lock.acquire(blocking=False):
                    try:
                        job()
                    finally:
                        lock.release()

            def try_again(job):
                if lock.locked():
                    return False
                if not lock.acquire(blocking=False):
                    return False
                try:
                    job()
                finally:
                    lock.release()
                return lock.locked()

            async def take_turn(job):
                if turn.locked():
                    return
                async with turn:
                    await job()
            """),
    ),
)
