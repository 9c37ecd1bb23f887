"""A thread that wakes up from `wait()` goes on although what it waited for is not true.

`Condition.wait` may return for no reason, and when it returns for one, another thread may have been faster: two
consumers are woken, the first takes the only item, the second goes on and finds nothing. A `notify()` that comes
before the `wait()` is lost, too: who does not look first waits for ever.

Wait in a loop that looks each time, `while not items: condition.wait()`, or let the condition do so:
`condition.wait_for(lambda: items)`.

The look belongs under the lock: in `while not ready: with condition: condition.wait()` the news may come between the
two.

Not reported: other waits in any loop, also one of a caller in the same file; waits with a time limit, after which
programs look for themselves or go on in any case; `Event.wait` and `Barrier.wait`, which remember; functions that only
pass the wait on; and tests.

https://docs.python.org/3/library/threading.html#condition-objects
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.locks import methods
from conclint.model import Edit, Finding, Fix, Note, Safety, Span
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.lockuse import LockCall
    from conclint.source.source import Source

# What is private, or called so, passes the wait on to its caller.
PASSES_ON = re.compile(r"^_|wait|sleep|join|block|pause|park", re.IGNORECASE)


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.conditions import called_in_loop, condition_calls, has_limit, in_loop

    for waited in condition_calls(source, "wait"):
        function = source.function_node(waited.call)
        if has_limit(source, waited) or not isinstance(function, cst.FunctionDef):
            continue
        if in_loop(source, waited.call):
            yield from _too_early(source, waited)
            continue
        test = _test(source, waited.call, function)
        if (test is None and PASSES_ON.search(function.name.value)) or called_in_loop(source, function):
            continue
        yield Finding(
            source.place(waited.call),
            f"`{waited.text}.wait()` may return although nothing has come true yet; look again in a `while`, or use "
            "`wait_for`",
            fix=_looked_again(source, waited, test),
        )


def _too_early(source: Source, waited: LockCall) -> Iterator[Finding]:
    """The loop looks, but not under the lock."""
    from conclint.source.conditions import asked_outside

    test = asked_outside(source, waited)
    if test is not None and not _is_settled(source, test):
        message = f"`{source.code(test)}` is asked before `{waited.text}` is held: it may change in between"
        advice = "then this waits for a notification that is gone; look again inside the `with`"
        yield Finding(source.place(waited.call), f"{message}, and {advice}", (Note(source.place(test), "asked here"),))


def _test(source: Source, wait: cst.Call, function: cst.FunctionDef) -> cst.If | None:
    """The innermost `if` around the wait."""
    for outer in source.ancestors(wait):
        if outer is function:
            return None
        if isinstance(outer, cst.If):
            return outer
    return None


def _looked_again(source: Source, waited: LockCall, branch: cst.If | None) -> Fix | None:
    """`while` for `if`, where nothing but the wait is below it and the test can change meanwhile."""
    if branch is None or branch.orelse is not None or not _waits_only(source, waited, branch):
        return None
    span = source.span(branch)
    if not source.text.lines[span.line - 1][span.column - 1 :].startswith("if ") or _is_settled(source, branch.test):
        return None  # an `elif`
    return Fix("look again", (Edit(Span(span.line, span.column, span.line, span.column + 2), "while"),), Safety.SAFE)


def _waits_only(source: Source, waited: LockCall, branch: cst.If) -> bool:
    line = source.statement(waited.call)
    return branch.body.body[0] is line and len(branch.body.body) == 1


def _is_settled(source: Source, test: cst.BaseExpression) -> bool:
    """Whether only this call can change it: plain names of its own."""
    from conclint.source.lockuse import body_nodes

    parts = [node for node in body_nodes(test) if isinstance(node, (cst.Name, cst.Attribute, cst.Call))]
    stores = [source.named(node).store for node in parts if isinstance(node, cst.Name)]
    if any(isinstance(node, (cst.Attribute, cst.Call)) for node in parts):
        return False
    return all(store is None or (store.sort == "local" and store.owner == source.identity(test)) for store in stores)


RULE = Rule(
    code="CON413",
    name="wait-without-loop",
    triggers=calls(*methods("wait", "__enter__")),
    check=check,
    examples=(
        Bad(
            """
            import threading

            condition = threading.Condition()
            items = []

            def take():
                with condition:
                    if not items:
                        condition.wait()  # expect: CON413
                    return items.pop()
            """,
            fixed="""
            import threading

            condition = threading.Condition()
            items = []

            def take():
                with condition:
                    while not items:
                        condition.wait()  # expect: CON413
                    return items.pop()
            """,
        ),
        Bad(
            """
            from multiprocessing import Condition as Cond, Lock

            class Buffer:
                def __init__(self, size):
                    self._lock = Lock()
                    self._free = Cond(self._lock)
                    self.size = size
                    self.items = []

                def put(self, item):
                    self._lock.acquire()
                    try:
                        if len(self.items) >= self.size:
                            print("full")
                            self._free.wait()  # expect: CON413
                        self.items.append(item)
                    finally:
                        self._lock.release()

                def first(self):
                    with self._free:
                        self._free.wait()  # expect: CON413
                        return self.items[0]
            """,
        ),
        Bad(
            """
            import asyncio

            class Queue:
                def __init__(self):
                    self.changed = asyncio.Condition()
                    self.items = []

                async def take(self):
                    async with self.changed:
                        if not self.items:
                            await self.changed.wait()  # expect: CON413
                        return self.items.pop()
            """,
            fixed="""
            import asyncio

            class Queue:
                def __init__(self):
                    self.changed = asyncio.Condition()
                    self.items = []

                async def take(self):
                    async with self.changed:
                        while not self.items:
                            await self.changed.wait()  # expect: CON413
                        return self.items.pop()
            """,
        ),
        Bad("""
            import threading

            class Reader:
                def __init__(self, source):
                    self._source = source
                    self._paused = False
                    self._wake = threading.Condition()

                def read(self):
                    while self._source.open:
                        if self._paused:
                            with self._wake:
                                self._wake.wait()  # expect: CON413
                        self._source.next()

                def read_more(self):
                    while self._source.open:
                        with self._wake:
                            while self._paused:
                                self._wake.wait()
                        self._source.next()

                def resume(self):
                    with self._wake:
                        self._paused = False
                        self._wake.notify_all()
            """),
        Good("""
            import threading

            condition = threading.Condition()
            ready = threading.Event()
            items = []

            def take():
                with condition:
                    while not items:
                        condition.wait()
                    return items.pop()

            def take_any():
                with condition:
                    condition.wait_for(lambda: items)
                    return items.pop()

            def take_soon():
                ready.wait()
                with condition:
                    if not items:
                        condition.wait(5)
                    return items.pop() if items else None

            def serve(run):
                with condition:
                    while True:
                        if items:
                            run(items.pop())
                        else:
                            condition.wait()
            """),
        Good("""
            import threading

            class Pool:
                def __init__(self):
                    self._changed = threading.Condition()
                    self.free = []

                def wait(self):
                    with self._changed:
                        self._changed.wait()

                def _next(self):
                    if self.free:
                        return self.free.pop()
                    self._changed.wait()
                    return None

                def take(self):
                    with self._changed:
                        while (found := self._next()) is None:
                            pass
                        return found
            """),
        Good("""
            import threading

            def meet(barrier: threading.Barrier, done: threading.Event, other):
                barrier.wait()
                if not done.is_set():
                    done.wait()
                other.wait()
            """),
    ),
)
