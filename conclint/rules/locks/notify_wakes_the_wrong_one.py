"""`notify()` wakes up one thread, and that may be one which waits for something else.

The threads that wait on this condition wait for different things: say, for an item, and for a free place. `notify()`
picks any one of them. When the change is of no use to the one that wakes up, it goes back to sleep, the one that could
go on never hears of it, and in the end all of them wait.

Call `notify_all()`: everybody looks again, and who has nothing to do goes back to sleep. Or give each kind of waiter a
condition of its own on the same lock: `Condition(lock)` twice, as `queue.Queue` does.

Not reported: conditions on which all waiters wait for the same thing, however it is written; waits with a time limit,
after which they look again anyway; `notify(n)` for several; waits in other files; and tests.  Where the one waits for
what the other waits to be over, two threads that take turns are well served: shown to those who select CON415.

https://docs.python.org/3/library/threading.html#threading.Condition.notify
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.locks import methods
from conclint.model import Edit, Finding, Fix, Note, Safety
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.program.values import Store
    from conclint.source.lockuse import LockCall
    from conclint.source.source import Source


# How code asks whether something is there.
EMPTY = (
    re.compile(r"len\(([\w.]+)\) *(?:(?:==|!=|>|<=) *0|(?:<|>=) *1)"),
    re.compile(r"bool\(([\w.]+)\)?"),
    re.compile(r"([\w.]+) (?:is(?: not)? None|[!=]= *(?:None|\[\]|\{\}|\(\)))"),
)


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.conditions import condition_calls

    notified = [one for one in condition_calls(source, "notify") if _wakes_one(one.call)]
    waits = _waits(source) if notified else {}
    for found in notified:
        store = source.named(found.lock).store
        some = waits.get(store, []) if store is not None else []
        pair = _different(source, some, differ=_apart) or _different(source, some, differ=_opposite)
        if pair is not None:
            yield Finding(
                source.place(found.call),
                f"this wakes up one of those who wait on `{found.text}`, perhaps the wrong one; use `notify_all()`",
                notes=tuple(
                    Note(source.place(wait.call), f"one waits for `{' / '.join(parts)}`") for wait, parts in pair
                ),
                fix=_all(source, found),
                when_asked=_opposite(source, *pair),
            )


Wait = tuple["LockCall", tuple[str, ...]]


def _wakes_one(call: cst.Call) -> bool:
    return not call.args or (isinstance(call.args[0].value, cst.Integer) and call.args[0].value.evaluated_value == 1)


def _waits(source: Source) -> dict[Store, list[Wait]]:
    """The waits without a limit, by the condition, each with what it is for."""
    from conclint.source.conditions import condition_calls, has_limit, waits_for

    found: dict[Store, list[Wait]] = {}
    for waited in condition_calls(source, "wait", "wait_for"):
        store = source.named(waited.lock).store
        parts = waits_for(source, waited)
        if store is not None and parts and not has_limit(source, waited):
            found.setdefault(store, []).append((waited, parts))
    return found


def _different(
    source: Source, waits: list[Wait], *, differ: Callable[[Source, Wait, Wait], bool]
) -> tuple[Wait, Wait] | None:
    """Two waits of one class (one object can have both) for different things.

    Those of one function may be one thread's, which waits for one thing after the other.
    """
    for number, one in enumerate(waits):
        for other in waits[number + 1 :]:
            here, there = (source.nearest(wait.call, cst.ClassDef) for wait, _ in (one, other))
            apart = source.function_node(one[0].call) is not source.function_node(other[0].call)
            if apart and here is there and differ(source, one, other):
                return one, other
    return None


def _apart(source: Source, one: Wait, other: Wait) -> bool:
    """Whether they have nothing of what they wait for in common."""
    return not _subjects(one[1]) & _subjects(other[1])


def _subjects(parts: tuple[str, ...]) -> set[str]:
    """What the parts are about: `len(items) == 0` and `not items` are both about `items`."""
    return {next((found[1] for form in EMPTY if (found := form.fullmatch(part))), part) for part in parts}


def _opposite(source: Source, one: Wait, other: Wait) -> bool:
    """Whether the one waits for what the other waits to be over: `while self.full`, `while not self.full`."""
    return one[1] == other[1] and len(one[1]) == 1 and _wants(source, one[0]) is not _wants(source, other[0])


def _wants(source: Source, waited: LockCall) -> bool:
    """Whether the one plain thing that it waits for is to become true, rather than false."""
    loop = source.nearest(waited.call, cst.While)
    test: cst.BaseExpression | None = loop.test if loop is not None else None
    wants = False
    if waited.method == "wait_for":
        given = source.argument(waited.call, "predicate", 0)
        test, wants = given.value if given is not None else None, True
        test = test.body if isinstance(test, cst.Lambda) else test
    while isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        test, wants = test.expression, not wants
    return wants


def _all(source: Source, found: LockCall) -> Fix | None:
    func = found.call.func
    if not isinstance(func, cst.Attribute):
        return None
    text = source.code(found.call.func)
    edit = Edit(source.span(found.call), f"{text}_all()")
    return Fix("wake up all", (edit,), Safety.SAFE)


RULE = Rule(
    code="CON415",
    name="notify-wakes-the-wrong-one",
    triggers=calls(*methods("wait", "wait_for", "notify")),
    check=check,
    examples=(
        Bad(
            """
            import threading

            class Buffer:
                def __init__(self, size):
                    self._changed = threading.Condition()
                    self.size = size
                    self.items = []

                def put(self, item):
                    with self._changed:
                        while len(self.items) >= self.size:
                            self._changed.wait()
                        self.items.append(item)
                        self._changed.notify()  # expect: CON415

                def get(self):
                    with self._changed:
                        while not self.items:
                            self._changed.wait()
                        item = self.items.pop(0)
                        self._changed.notify(1)  # expect: CON415
                        return item
            """,
            fixed="""
            import threading

            class Buffer:
                def __init__(self, size):
                    self._changed = threading.Condition()
                    self.size = size
                    self.items = []

                def put(self, item):
                    with self._changed:
                        while len(self.items) >= self.size:
                            self._changed.wait()
                        self.items.append(item)
                        self._changed.notify_all()  # expect: CON415

                def get(self):
                    with self._changed:
                        while not self.items:
                            self._changed.wait()
                        item = self.items.pop(0)
                        self._changed.notify_all()  # expect: CON415
                        return item
            """,
        ),
        Bad("""
            from threading import Condition as Cond

            turn = Cond()
            state = {"full": False, "closed": False}

            def fill():
                with turn:
                    state["full"] = True
                    turn.notify()  # expect: CON415

            def empty():
                with turn:
                    turn.wait_for(lambda: state["full"])
                    state["full"] = False

            def until_closed():
                with turn:
                    while not state["closed"]:
                        turn.wait()
            """),
        Bad("""
            import asyncio

            class Gate:
                def __init__(self):
                    self.changed = asyncio.Condition()
                    self.inside = 0

                async def enter(self):
                    async with self.changed:
                        await self.changed.wait_for(self.is_free)
                        self.inside += 1

                async def leave(self):
                    async with self.changed:
                        self.inside -= 1
                        self.changed.notify()  # expect: CON415

                async def until_empty(self):
                    async with self.changed:
                        await self.changed.wait_for(lambda: self.inside == 0)

                def is_free(self):
                    return self.inside < 3
            """),
        Good("""
            import threading

            class Queue:
                def __init__(self, size):
                    self._lock = threading.Lock()
                    self._not_empty = threading.Condition(self._lock)
                    self._not_full = threading.Condition(self._lock)
                    self.size = size
                    self.items = []

                def put(self, item):
                    with self._not_full:
                        while len(self.items) >= self.size:
                            self._not_full.wait()
                        self.items.append(item)
                        self._not_empty.notify()

                def get(self):
                    with self._not_empty:
                        while not self.items:
                            self._not_empty.wait()
                        item = self.items.pop(0)
                        self._not_full.notify()
                        return item
            """),
        Good("""
            import threading

            class Base:
                def __init__(self):
                    self._done = threading.Condition()
                    self.results = []

                def put(self, result):
                    with self._done:
                        self.results.append(result)
                        self._done.notify()

            class One(Base):
                def get(self):
                    with self._done:
                        while not self.results:
                            self._done.wait()
                        return self.results[0]

            class All(Base):
                def get(self):
                    with self._done:
                        while len(self.results) < 9:
                            self._done.wait()
                        return self.results
            """),
        Good("""
            import threading

            class Jobs:
                def __init__(self):
                    self._added = threading.Condition()
                    self.items = []
                    self.closed = False

                def put(self, item):
                    with self._added:
                        self.items.append(item)
                        self._added.notify()

                def get(self):
                    with self._added:
                        while not self.items and not self.closed:
                            self._added.wait()
                        return self.items.pop() if self.items else None

                def peek(self):
                    with self._added:
                        while not (self.items):
                            self._added.wait()
                        return self.items[0]

                def close(self):
                    with self._added:
                        self.closed = True
                        self._added.notify_all()

                def watch(self):
                    with self._added:
                        while not self.closed:
                            self._added.wait(1)
            """),
    ),
)
