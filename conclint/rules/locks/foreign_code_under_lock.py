"""What others have registered is called here while a lock is held that it may want itself.

Nobody knows what a callback does.  If it calls a method of this object that takes the lock, it waits for itself; if it
takes a lock of its own, there are two locks in an order that nobody has chosen; if it takes its time, everybody waits.
`Future.set_result` and `set_exception` run the callbacks of the future at once, in the same thread.

Copy the callbacks under the lock, give it back, and call them then.
See https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.Future.add_done_callback

Reported for locks that their holder cannot take again, and for callbacks that a method is given and puts into a
container of the object or module.  Not reported: tables that the constructor fills, functions that are passed in for
this very call, what is called where an object ends (`close`), and calls under an RLock.

This rule has to be asked for: of those that readers saw first, one in four was right.

A generator that yields under a lock lets its consumer run under it too, for as long as that likes: reported only where
this rule is selected by name, since whoever consumes it may do nothing else meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.model import Finding, Note, Place, Span
from conclint.program.contexts import site_place
from conclint.program.evidence import Evidence
from conclint.program.foreign import SETTERS, Code, Foreign, Foreigners
from conclint.program.triggers import held_locks
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for found in Foreigners(evidence.program, evidence.sections).all():
        seen = found.under.seen
        what = "what others have registered" if found.code is Code.CALLBACK else "the future's callbacks"
        yield Finding(
            seen.place,
            f"`{seen.text}` runs {what} while `{found.lock.text}` is held, which they may want; call it after the lock "
            "is given back",
            notes=tuple(_notes(found)),
            when_asked=found.code is Code.FUTURE and seen.text.rpartition(".")[2] not in ENDS,
        )


# What gives a future its end; where a helper calls it, the future is a ticket of the class's own, most likely.
ENDS = frozenset(name.rpartition(".")[2] for name in SETTERS)

# What is held for certain, rather than by a manager that nobody knows.
NAMED = frozenset({"local", "global", "attribute"})


def check(source: Source) -> Iterator[Finding]:
    """A generator that gives its items away under a lock: what its consumer does until the next one is foreign too."""
    told: set[int] = set()
    for node in source.all(cst.Yield):
        function = source.function_node(node)
        plain = isinstance(function, cst.FunctionDef) and not function.decorators and function.asynchronous is None
        locked = plain and any(lock.partition("|")[0] in NAMED for lock in source.held(node))
        if locked and id(function) not in told and not _given_back(source, node):
            told.add(id(function))
            message = "this generator holds a lock until its consumer asks for the next item, or has no more use for it"
            instead = "collect the items under the lock, and give them away after that"
            yield Finding(source.place(node), f"{message}; {instead}", when_asked=True)


def _given_back(source: Source, node: cst.Yield) -> bool:
    """Whether something is released just for the `yield`."""
    block = source.parent(source.statement(node))
    before = source.code(block).partition("yield")[0] if block is not None else ""
    return ".release()" in before


def _notes(found: Foreign) -> Iterator[Note]:
    yield Note(site_place(found.lock.site), f"`{found.lock.text}` is taken here")
    if found.registered is not None:
        site = found.registered
        place = Place(site.file.path, Span(site.call.line, 1, site.call.line, 2))
        yield Note(place, f"`{site.function.qualname}` registers what it is given")


RULE = Rule(
    code="CON411",
    name="foreign-code-under-lock",
    triggers=held_locks(),
    check=check,
    conclude=conclude,
    default=False,
    examples=(
        Bad("""
            import threading

            class Topic:
                def __init__(self):
                    self._lock = threading.Lock()
                    self._listeners = []

                def subscribe(self, listener):
                    with self._lock:
                        self._listeners.append(listener)

                def publish(self, message):
                    with self._lock:
                        for listener in self._listeners:
                            listener(message)  # expect: CON411
            """),
        Bad("""
            import threading

            class Results:
                def __init__(self):
                    self._ready = threading.Condition()
                    self._results = []

                def put(self, result):
                    with self._ready:
                        self._results.append(result)
                        self._ready.notify()

                def take(self, count):
                    with self._ready:
                        for _ in range(count):
                            while not self._results:
                                self._ready.wait()
                            yield self._results.pop(0)  # expect: CON411
            """),
        Good("""
            import contextlib
            import threading

            class Table:
                def __init__(self):
                    self._lock = threading.Lock()
                    self._rows = []

                @contextlib.contextmanager
                def locked(self):
                    with self._lock:
                        yield self._rows

                def each(self):
                    with self._lock:
                        rows = list(self._rows)
                    yield from rows

                def slowly(self):
                    with self._lock:
                        while self._rows:
                            row = self._rows.pop()
                            self._lock.release()
                            yield row
                            self._lock.acquire()
            """),
        Bad("""
            import threading

            hooks_lock = threading.Lock()
            hooks = {}

            def register(name, hook):
                with hooks_lock:
                    hooks[name] = hook

            def run(name):
                with hooks_lock:
                    return hooks[name]()  # expect: CON411
            """),
        Bad("""
            import threading

            class Notifier:
                def __init__(self):
                    self._lock = threading.Lock()
                    self._listeners = {}

                def add(self, event, listener):
                    with self._lock:
                        self._listeners.setdefault(event, []).append(listener)

                def fire(self, event, *details):
                    with self._lock:
                        for listener in self._listeners.get(event, []):
                            listener(*details)  # expect: CON411
            """),
        Bad("""
            import threading
            from concurrent.futures import Future

            class Pending:
                def __init__(self):
                    self._mutex = threading.Lock()
                    self._future = Future()
                    self._done = False

                def finish(self, value):
                    with self._mutex:
                        self._done = True
                        self._future.set_result(value)  # expect: CON411
            """),
        Good("""
            import threading

            class Topic:
                def __init__(self):
                    self._lock = threading.Lock()
                    self._listeners = []

                def subscribe(self, listener):
                    with self._lock:
                        self._listeners.append(listener)

                def publish(self, message):
                    with self._lock:
                        listeners = list(self._listeners)
                    for listener in listeners:
                        listener(message)
            """),
        Good("""
            import threading

            class Shapes:
                def __init__(self, first):
                    self._lock = threading.Lock()
                    self._steps = [self._left, self._right]
                    self._steps.append(first)
                    self._values = {}

                def run(self):
                    with self._lock:
                        for step in self._steps:
                            step()  # its own

                def get(self, key, make):
                    with self._lock:
                        if key not in self._values:
                            self._values[key] = make(key)  # what the lock is for
                        return self._values[key]

                def _left(self):
                    print("left")

                def _right(self):
                    print("right")
            """),
        Good("""
            import threading

            class Topic:
                def __init__(self):
                    self._lock = threading.RLock()  # listeners may subscribe others
                    self._listeners = []

                def subscribe(self, listener):
                    with self._lock:
                        self._listeners.append(listener)

                def publish(self, message):
                    with self._lock:
                        for listener in self._listeners:
                            listener(message)
            """),
    ),
)
