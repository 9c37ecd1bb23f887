"""`wait()` and `notify()` raise a `RuntimeError` unless the condition's lock is held.

A condition variable belongs to a lock: `wait()` gives it back while it waits, and `notify()` wakes up who waits for
it. Both ask whether the lock is held, and raise a `RuntimeError` when it is not. The thread that was to be woken goes
on waiting.

Change the state and notify inside `with condition:`.

Not reported: code below any `with` (but that of a lock with which the condition has nothing to do), or in a function
that takes a lock in some other way; functions that others call with the lock held, be it that they are private, named
so (`_locked`), called so in this file, or methods of a class that offers `acquire` or `with` to its users; methods that
only pass `wait` and `notify` on; and tests.

https://docs.python.org/3/library/threading.html#threading.Condition.notify
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.locks import methods
from conclint.model import Finding, Fix
from conclint.program.triggers import calls
from conclint.program.values import function_id
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.lockuse import LockCall
    from conclint.source.source import Source

NEEDS_LOCK = ("wait", "wait_for", "notify", "notify_all", "notifyAll")
IS_LOCK = re.compile(r"def (?:__a?enter__|acquire|lock)\b|\bacquire *=")
CONDITIONS = ("threading.Condition", "multiprocessing.Condition", "asyncio.Condition")
TAKES = frozenset({"acquire", "acquire_lock", "enter_context", "enter_async_context", "__enter__"})


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.conditions import condition_calls

    for found in condition_calls(source, *NEEDS_LOCK):
        function = source.function_node(found.call)
        if (
            isinstance(function, cst.FunctionDef)
            and found.standard
            and (_holds_another(source, found) or not _may_hold(source, found.call))
            and _is_entry(source, function)
            and not _takes_lock(function)
            and not _called_with_lock(source, function)
        ):
            yield Finding(
                source.place(found.call),
                f"`{found.text}.{found.method}()` raises a RuntimeError here, where the lock is not held; write "
                f"`with {found.text}:` around it",
                fix=_wrapped(source, found),
            )


def _may_hold(source: Source, node: cst.CSTNode) -> bool:
    return bool(source.held(node)) or source.nearest(node, cst.With) is not None


def _holds_another(source: Source, found: LockCall) -> bool:
    """Whether a known lock is held, one `with` around, with which the condition has nothing to do."""
    from conclint.source.lockuse import is_plain, lock_types

    blocks = [outer for outer in source.ancestors(found.call) if isinstance(outer, cst.With)]
    if len(blocks) != 1 or len(blocks[0].items) != 1 or source.nearest(found.call, cst.With, cst.FunctionDef) is None:
        return False
    lock = blocks[0].items[0].item
    another = is_plain(source, lock_types(source, lock)) and source.held(found.call) == tuple(source.locks.lock(lock))
    return another and _has_own_lock(source, found)


def _has_own_lock(source: Source, found: LockCall) -> bool:
    """Whether the condition is made in this file, and without a lock of somebody's."""
    store = source.named(found.lock).store
    made = [
        assign.value
        for assign in source.all(cst.Assign)
        if isinstance(assign.value, cst.Call)
        and any(source.named(target.target).store == store for target in assign.targets)
    ]
    return store is not None and bool(made) and not any(call.args for call in made)


def _is_entry(source: Source, function: cst.FunctionDef) -> bool:
    """Whether others call it without thinking of its locks: public, undecorated, of no class that is a lock itself."""
    name = function.name.value
    if name.startswith("_") or name in NEEDS_LOCK or function.decorators:
        return False
    for outer in source.ancestors(function):
        if isinstance(outer, cst.FunctionDef):
            return False
        if isinstance(outer, cst.ClassDef):
            return not outer.bases and not any(IS_LOCK.search(line) for line in _lines(source, outer))
    return True


def _lines(source: Source, node: cst.ClassDef) -> Iterator[str]:
    """The whole text of a class, of which perhaps only some methods were parsed."""
    first, indent = source.line(node), source.indent(node)
    for line in source.text.lines[first:]:
        if line.strip() and not line.startswith((indent + " ", indent + "\t")):
            break
        yield line


def _takes_lock(function: cst.FunctionDef) -> bool:
    from conclint.source.lockuse import body_nodes

    return any(isinstance(node, cst.Attribute) and node.attr.value in TAKES for node in body_nodes(function.body))


def _called_with_lock(source: Source, function: cst.FunctionDef) -> bool:
    identity = function_id(source.path, source.qualname_of(function))
    return any(
        _may_hold(source, call) for call in source.all(cst.Call) if identity in source.named(call.func).functions
    )


def _wrapped(source: Source, found: LockCall) -> Fix | None:
    from conclint.source.edits import wrapped

    line = source.statement(found.call)
    if not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1:
        return None
    word = "async with" if source.in_coroutine(found.call) else "with"
    edit = wrapped(source, [line], f"{word} {found.text}:")
    return Fix(f"`{word} {found.text}`", (edit,)) if edit is not None else None


RULE = Rule(
    code="CON414",
    name="notify-without-lock",
    triggers=calls(*CONDITIONS, *methods(*NEEDS_LOCK, "acquire", "__enter__")),
    check=check,
    examples=(
        Bad(
            """
            import threading

            condition = threading.Condition()
            items = []

            def put(item):
                items.append(item)
                condition.notify()  # expect: CON414
            """,
            fixed="""
            import threading

            condition = threading.Condition()
            items = []

            def put(item):
                items.append(item)
                with condition:
                    condition.notify()  # expect: CON414
            """,
        ),
        Bad("""
            from threading import Condition as Cond

            class Box:
                def __init__(self):
                    self._filled = Cond()
                    self.item = None

                def take(self):
                    while self.item is None:
                        self._filled.wait()  # expect: CON414
                    return self.item

                def put(self, item):
                    with self._filled:
                        self.item = item
                    self._filled.notify_all()  # expect: CON414
            """),
        Bad(
            """
            import asyncio

            class Queue:
                def __init__(self):
                    self.changed = asyncio.Condition()
                    self.items = []

                async def put(self, item):
                    self.items.append(item)
                    self.changed.notify()  # expect: CON414
            """,
            fixed="""
            import asyncio

            class Queue:
                def __init__(self):
                    self.changed = asyncio.Condition()
                    self.items = []

                async def put(self, item):
                    self.items.append(item)
                    async with self.changed:
                        self.changed.notify()  # expect: CON414
            """,
        ),
        Good("""
            import threading

            class Box:
                def __init__(self):
                    self._lock = threading.RLock()
                    self._filled = threading.Condition(self._lock)
                    self.item = None

                def put(self, item):
                    with self._lock:
                        self.item = item
                        self._filled.notify()
                        self.tell()
                        self._tell()
                        self.tell_locked()

                def tell(self):
                    self._filled.notify_all()

                def _tell(self):
                    self._filled.notify_all()

                def tell_locked(self):
                    self._filled.notify_all()

                def try_put(self, item):
                    if self._lock.acquire(blocking=False):
                        try:
                            self.item = item
                            self._filled.notify()
                        finally:
                            self._lock.release()
            """),
        Good("""
            import threading

            class Mailbox:
                def __init__(self):
                    self._condition = threading.Condition()
                    self.acquire = self._condition.acquire

                def __enter__(self):
                    return self._condition.__enter__()

                def __exit__(self, *exc):
                    return self._condition.__exit__(*exc)

                def changed(self):
                    self._condition.notify_all()

            class Passing:
                def __init__(self):
                    self._condition = threading.Condition()

                def notify(self):
                    self._condition.notify()
            """),
    ),
)
