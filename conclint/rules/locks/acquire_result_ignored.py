"""Nobody looks whether this `acquire()` got the lock, and what follows runs without it when it did not.

`acquire(timeout=...)` and `acquire(blocking=False)` come back without the lock when somebody else has it: they return
`False`. The code behind then runs beside the holder, and its `release()` raises a `RuntimeError`, or gives away
the lock of somebody else. `Condition.wait_for(..., timeout)` likewise returns whether what it waits for came true.

Look at the result: `if not lock.acquire(timeout=5): raise TimeoutError(...)`.

Not reported: `Event.wait` and `Condition.wait` with a limit, with which programs sleep or look again in a loop; a lock
that the function does not release (it makes sure that the lock is taken, by whomever); a `release()` straight after (it
makes sure that the lock is free); what is looked at after `wait_for`; and tests.

https://docs.python.org/3/library/threading.html#threading.Lock.acquire
"""

from __future__ import annotations

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

LOOKS_AGAIN = (cst.If, cst.While, cst.Return, cst.Assert, cst.Try)


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.lockuse import lock_calls
    from conclint.source.testcode import in_test

    for taken in lock_calls(source, "acquire", "wait_for"):
        if not taken.standard or not _is_dropped(source, taken.call) or in_test(source, taken.call):
            continue
        if taken.method == "wait_for" and _goes_on(source, taken):
            yield Finding(
                source.place(taken.call),
                "nobody looks whether this came true before its time was up; test the result",
            )
        elif taken.method == "acquire" and (release := _released(source, taken)) is not None:
            yield Finding(
                source.place(taken.call),
                f"what follows runs without `{taken.text}` when this does not get it; test the result",
                notes=(Note(source.place(release), "it is released all the same here"),),
            )


def _is_dropped(source: Source, call: cst.Call) -> bool:
    """Whether nobody looks at the result: it goes nowhere, or into a variable that nobody reads."""
    outer = source.parent(call)
    function = source.function_node(call)
    if not isinstance(outer, cst.Assign) or not isinstance(function, cst.FunctionDef):
        return isinstance(outer, cst.Expr)
    name = outer.targets[0].target
    same = [
        node for node in source.inside(function, cst.Name) if isinstance(name, cst.Name) and node.value == name.value
    ]
    return len(outer.targets) == 1 and len(same) == 1


def _released(source: Source, taken: LockCall) -> cst.Call | None:
    """Where the function releases what an `acquire` that may decline did perhaps not take."""
    from conclint.source.lockleaks import operations
    from conclint.source.lockuse import declines

    function = source.function_node(taken.call)
    if not declines(taken.call) or not isinstance(function, cst.FunctionDef):
        return None
    later = [
        one for one in operations(source, function, taken.text)
        if source.sequence(one.call) > source.sequence(taken.call)
    ]  # fmt: skip
    if not later or later[0].method != "release" or _next(source, taken.call) is source.statement(later[0].call):
        return None
    return None if any(_asks(source, one.call, function) for one in later) else later[0].call


def _asks(source: Source, release: cst.Call, function: cst.FunctionDef) -> bool:
    """Whether the release depends on something, `if lock.locked():`, or bears that the lock is free."""
    for outer in source.ancestors(release):
        if outer is function:
            break
        if isinstance(outer, cst.If) or (isinstance(outer, cst.Try) and outer.handlers and len(outer.body.body) == 1):
            return True
    return False


def _goes_on(source: Source, waited: LockCall) -> bool:
    """Whether `wait_for` has a limit, and the next statement does not look again."""
    timeout = source.argument(waited.call, "timeout", 1)
    if timeout is None or source.code(timeout.value) == "None" or source.function_node(waited.call) is None:
        return False
    follower = _next(source, waited.call)
    if isinstance(follower, cst.SimpleStatementLine):
        return not isinstance(follower.body[0], LOOKS_AGAIN)
    return follower is not None and not isinstance(follower, LOOKS_AGAIN)


def _next(source: Source, node: cst.CSTNode) -> cst.CSTNode | None:
    """The statement that is run after the one in which the node stands, in its block or behind a `with` around it."""
    line = source.statement(node)
    block = source.parent(line)
    while isinstance(block, (cst.IndentedBlock, cst.Module)):
        body: list[cst.CSTNode] = list(block.body)
        place = next(number for number, one in enumerate(body) if one is line)
        if place + 1 < len(body):
            return body[place + 1]
        outer = source.parent(block)
        if not isinstance(outer, cst.With):
            break
        line, block = outer, source.parent(outer)
    return None


RULE = Rule(
    code="CON404",
    name="acquire-result-ignored",
    triggers=calls(*methods("acquire", "wait_for")),
    check=check,
    examples=(
        Bad("""
            import threading

            lock = threading.Lock()

            def work(job):
                lock.acquire(timeout=1)  # expect: CON404
                try:
                    job()
                finally:
                    lock.release()
            """),
        Bad("""
            from threading import RLock

            class Store:
                def __init__(self, limit):
                    self._guard = RLock()
                    self.limit = limit
                    self.rows = []

                def put(self, row):
                    self._guard.acquire(True, self.limit)  # expect: CON404
                    self.rows.append(row)
                    self._guard.release()

                def poll(self):
                    self._guard.acquire(blocking=False)  # expect: CON404
                    row = self.rows.pop()
                    self._guard.release()
                    return row
            """),
        Bad("""
            import threading

            class Box:
                def __init__(self):
                    self._filled = threading.Condition()
                    self._item = None

                def take(self):
                    with self._filled:
                        self._filled.wait_for(lambda: self._item is not None, timeout=5)  # expect: CON404
                        item, self._item = self._item, None
                    return item.value
            """),
        Good("""
            import threading

            lock = threading.Lock()

            def work(job, limit):
                if not lock.acquire(timeout=limit):
                    raise TimeoutError("busy")
                try:
                    job()
                finally:
                    lock.release()

            def plain(job):
                lock.acquire(True)
                try:
                    job()
                finally:
                    lock.release()

            def unlimited(job):
                lock.acquire(timeout=-1)
                try:
                    job()
                finally:
                    lock.release()

            def pass_on(block):
                return lock.acquire(block)
            """),
        Good("""
            import threading

            class Flag:
                def __init__(self):
                    self._lock = threading.Lock()
                    self._event = threading.Event()
                    self._changed = threading.Condition()
                    self.value = None

                def lower(self):
                    self._lock.acquire(blocking=False)

                def raise_(self):
                    self._lock.acquire(blocking=False)
                    self._lock.release()

                def sleep(self):
                    self._event.wait(1)
                    print("awake")

                def watch(self):
                    with self._changed:
                        while self.value is None:
                            self._changed.wait(1)
                        self._changed.wait_for(lambda: self.value == 2, 1)
                    if self.value != 2:
                        raise TimeoutError
            """),
        Good("""
            import threading

            lock = threading.Lock()

            def stop(worker):
                lock.acquire(timeout=5)
                worker.stop()
                if lock.locked():
                    lock.release()

            def force(worker):
                lock.acquire(timeout=5)
                worker.stop()
                try:
                    lock.release()
                except RuntimeError:
                    print("was free")
            """),
    ),
)
