"""A finalizer that waits can wait for the very code that it interrupts.

`__del__` and the callbacks of `weakref` run between any two steps of some thread, in the middle of whatever that thread
does. If it holds the lock that they take, nobody can ever release it: the holder goes on only when
they return. `join()` in `__del__` waits for a thread at a moment that nobody chose; often the thread's own reference is
the last one, so that it would wait for itself.

Let them only set a flag or an `Event`, or put something into a `queue.SimpleQueue`, which is made for that, and do the
rest elsewhere: in `close()`, in a `with` block, in the loop that asks the flag.

A `queue.Queue` has a lock inside, which `put` takes likewise.

Not reported: re-entrant locks, locks taken without waiting, and an object's own lock in its `__del__`, which nobody can
hold any more. Signal handlers are CON426's.

See https://docs.python.org/3/reference/datamodel.html#object.__del__
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.kinds import Context
from conclint.model import Finding, Note
from conclint.program.triggers import interrupting
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source

JOINS = ("threading.Thread.join", "multiprocessing.Process.join", "multiprocessing.pool.Pool.join")
LOCKS = ("threading.Lock", "threading.Semaphore", "threading.BoundedSemaphore", "multiprocessing.Lock")
# docs.python.org/3/library/queue.html#queue.SimpleQueue.put: of all queues this one alone bears it
PUTS = ("queue.Queue.put", "queue.Queue.put_nowait")
TAKEN = tuple(f"{lock}.{method}" for lock in LOCKS for method in ("acquire", "__enter__"))


def check(source: Source) -> Iterator[Finding]:
    for call in source.all(cst.Call):
        where = _where(source, call)
        if where is None:
            continue
        what, notes = where
        if what == "`__del__`" and source.calls(call, *JOINS) and not call.args:
            message = f"{what} waits here, in the middle of whatever dropped the last reference"
            yield Finding(source.place(call), f"{message}; wait in a `close()` that somebody calls", notes)
        elif source.calls(call, *PUTS):
            message = (
                f"{what} puts into a queue in the middle of other code, which may hold the queue's lock for ever then"
            )
            yield Finding(source.place(call), f"{message}; use a `queue.SimpleQueue`, which is made for that", notes)
        elif isinstance(call.func, cst.Attribute) and source.calls(call, *TAKEN) and not call.args:
            yield from _taken(source, call.func.value, what, notes)
    for item in source.all(cst.WithItem):
        where = _where(source, item)
        if where is not None and {*LOCKS} & {*source.types(item.item)}:
            yield from _taken(source, item.item, *where)


def _taken(source: Source, lock: cst.BaseExpression, what: str, notes: tuple[Note, ...]) -> Iterator[Finding]:
    if _shared(source, lock, what):
        message = f"{what} takes `{source.code(lock)}` in the middle of other code, which may hold it for ever then"
        yield Finding(source.place(lock), f"{message}; only set a flag there", notes)


def _where(source: Source, node: cst.CSTNode) -> tuple[str, tuple[Note, ...]] | None:
    """The kind of interrupting code in which the node stands, and how it comes to be that."""
    around = source.function_node(node)
    if around is None:
        return None
    if isinstance(around, cst.FunctionDef) and around.name.value == "__del__" and _is_method(source, around):
        return "`__del__`", ()
    function = source.function(node)
    runs = function.runs_in(Context.FINALIZER) if function is not None else ()
    return next((("this finalizer", run.trace) for run in runs), None)


def _is_method(source: Source, function: cst.FunctionDef) -> bool:
    block = source.parent(function)
    return block is not None and isinstance(source.parent(block), cst.ClassDef)


def _shared(source: Source, lock: cst.BaseExpression, what: str) -> bool:
    """Whether the code that is interrupted may hold the lock."""
    named = source.named(lock)
    if named.store is None or "threading.RLock" in named.types:
        return False
    return what != "`__del__`" or named.store.sort == "global" or named.of_class


RULE = Rule(
    code="CON214",
    name="ended-in-finalizer",
    triggers=interrupting(*JOINS, *PUTS, *TAKEN),
    check=check,
    examples=(
        Bad("""
            import threading

            class Poller:
                def __init__(self, poll):
                    self._stop = threading.Event()
                    self._thread = threading.Thread(target=poll, args=(self._stop,))
                    self._thread.start()

                def __del__(self):
                    self._stop.set()
                    self._thread.join()  # expect: CON214
            """),
        Bad("""
            import threading

            class Node:
                _lock = threading.Lock()
                alive = 0

                def __init__(self):
                    with self._lock:
                        Node.alive += 1

                def __del__(self):
                    with self._lock:  # expect: CON214
                        Node.alive -= 1
            """),
        Bad("""
            import weakref
            from threading import Lock

            LOCK = Lock()
            STATE = {}

            def clear(reference):
                LOCK.acquire()  # expect: CON214
                STATE.clear()
                LOCK.release()

            def drop(name):
                with LOCK:  # expect: CON214
                    STATE.pop(name)

            def begin(item):
                weakref.finalize(item, drop, item.name)
                with LOCK:
                    STATE[item.name] = weakref.ref(item, clear)
            """),
        Good("""
            import queue
            import threading
            import weakref

            LOCK = threading.RLock()
            STOP = threading.Event()
            GONE = queue.SimpleQueue()

            class Poller:
                def __init__(self, poll):
                    self._lock = threading.Lock()
                    self._thread = threading.Thread(target=poll)

                def close(self):
                    with self._lock:
                        self._thread.join()

                def __del__(self):
                    GONE.put(self._thread.name)
                    STOP.set()
                    with self._lock:
                        self._thread = None
                    with LOCK:
                        print("gone")
                    self._thread.join(0.1)

            def drop(name):
                STOP.set()
                with LOCK:
                    print("gone", name)

            def begin(item):
                weakref.finalize(item, drop, item.name)
            """),
    ),
)
