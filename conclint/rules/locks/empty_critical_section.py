"""A lock is taken and released again with nothing in between, so it protects nothing.

`with lock: pass` keeps nobody out of anything. What it does is to wait until whoever holds the lock at this moment has
let it go; directly after it somebody else may hold it again. Often the code that was to be protected stands behind the
block instead of in it.

Put the code into the block. If waiting for the holder is what is wanted, an `Event` or a `join()` says so.

This rule is advice, and has to be asked for: some programs wait for the holder on purpose.

https://docs.python.org/3/library/threading.html#lock-objects
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.locks import methods
from conclint.model import Finding
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.lockuse import lock_call, lock_types
    from conclint.source.testcode import in_test

    for block in source.all(cst.With):
        locks = [one.item for one in block.items if lock_types(source, one.item)]
        if locks and len(locks) == len(block.items) and _is_empty(block.body.body) and not in_test(source, block):
            yield _finding(source, block.items[0].item, source.code(locks[0]))
    for call in source.all(cst.Call):
        found = lock_call(source, call)
        if found is not None and found.method == "acquire" and not in_test(source, call):
            after = lock_call(source, _next_call(source, source.statement(call)))
            if after is not None and after.method == "release" and after.text == found.text and not call.args:
                yield _finding(source, call, found.text)


def _finding(source: Source, node: cst.CSTNode, lock: str) -> Finding:
    return Finding(
        source.place(node),
        f"`{lock}` is released as soon as it is taken, and protects nothing; put the code that needs it in between",
    )


def _is_empty(body: object) -> bool:
    """`pass`, `...` or a text."""
    lines = list(body) if isinstance(body, (tuple, list)) else []
    smalls = [small for line in lines for small in (line.body if isinstance(line, cst.SimpleStatementLine) else [line])]
    return all(
        isinstance(one, cst.Pass)
        or (isinstance(one, cst.Expr) and isinstance(one.value, (cst.Ellipsis, cst.SimpleString)))
        for one in smalls
    )


def _next_call(source: Source, line: cst.CSTNode) -> cst.CSTNode:
    """The call that is the whole next statement of the block; the line itself if there is none."""
    block = source.parent(line)
    body: list[cst.CSTNode] = list(block.body) if isinstance(block, (cst.IndentedBlock, cst.Module)) else []
    place = next((number for number, one in enumerate(body) if one is line), len(body))
    after = body[place + 1] if place + 1 < len(body) else None
    small = after.body[0] if isinstance(after, cst.SimpleStatementLine) else None
    return small.value if isinstance(small, cst.Expr) else line


RULE = Rule(
    code="CON422",
    name="empty-critical-section",
    triggers=calls(*methods("__enter__", "acquire")),
    check=check,
    default=False,
    examples=(
        Bad("""
            import threading

            lock = threading.Lock()

            def work(job):
                with lock:  # expect: CON422
                    pass
                job()
            """),
        Bad("""
            from asyncio import Condition as Cond

            class Client:
                def __init__(self):
                    self._changed = Cond()
                    self.items = []

                async def put(self, item):
                    async with self._changed:  # expect: CON422
                        '''One at a time.'''
                    self.items.append(item)
            """),
        Bad("""
            import multiprocessing

            def work(lock: multiprocessing.Lock, job):
                lock.acquire()  # expect: CON422
                lock.release()
                job()
            """),
        Good("""
            import threading

            lock = threading.Lock()

            def work(job, path):
                with lock:
                    job()
                with open(path):
                    pass
                with lock, open(path):
                    pass
                lock.acquire()
                job()
                lock.release()
            """),
    ),
)
