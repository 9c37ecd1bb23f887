"""One `release()` too many lets one more in for ever, and a plain `Semaphore` does not notice.

The semaphore begins with a number of places, and some function gives a place back that another one took. When that
happens once too often (an error path that releases as well, a callback that runs twice), the limit is higher from then
on, and nothing says so.

`BoundedSemaphore` is the same, and raises a `ValueError` at the release that goes beyond the number it began with.

Not reported: a semaphore that begins at zero, which counts signals; one whose number is not written there; releases in
the function that acquires, or in `with`; and tests.

This rule is advice, and has to be asked for: most of these programs count right today.

https://docs.python.org/3/library/threading.html#threading.BoundedSemaphore
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.model import Edit, Finding, Fix, Note
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.program.evidence import Evidence
    from conclint.source.lockuse import LockCall
    from conclint.source.source import Source

SEMAPHORES = ("threading.Semaphore", "multiprocessing.Semaphore", "asyncio.Semaphore")


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.testcode import in_test

    for assign in source.all(cst.Assign):
        made = assign.value
        if isinstance(made, cst.Call) and _is_unbounded(source, made) and not in_test(source, made):
            release = _unpaired(source, assign.targets[0].target)
            if release is not None:
                yield Finding(
                    source.place(made),
                    "a release too many raises the limit, and nobody notices; make it a `BoundedSemaphore`",
                    notes=(Note(source.place(release.call), "a place is given back that was taken elsewhere"),),
                    fix=_bounded(source, made),
                )


def conclude(evidence: Evidence) -> Iterator[Finding]:
    """The same over files."""
    for found in evidence.module_locks.given_back():
        said = "a release too many raises the limit, and nobody notices; make it a `BoundedSemaphore`"
        yield Finding(found.made, said, (Note(found.place, "a place is given back that was taken elsewhere"),))


def _is_unbounded(source: Source, made: cst.Call) -> bool:
    names = source.names(made.func)
    number = source.argument(made, "value", 0)
    plain = any(name in SEMAPHORES for name in names) and not any("Bounded" in name for name in names)
    return plain and number is not None and isinstance(number.value, cst.Integer) and number.value.evaluated_value > 0


def _unpaired(source: Source, target: cst.BaseExpression) -> LockCall | None:
    """A release in a function that does not acquire, where another function does."""
    from conclint.source.lockuse import lock_calls

    store = source.named(target).store
    uses = [one for one in lock_calls(source, "acquire", "release") if source.named(one.lock).store == store]
    taking = {source.function_node(one.call) for one in uses if one.method == "acquire"}
    others = [one for one in uses if one.method == "release" and source.function_node(one.call) not in taking]
    return others[0] if others and store is not None else None


def _bounded(source: Source, made: cst.Call) -> Fix | None:
    """The other class, where the module is at hand: it takes the same arguments."""
    func = made.func
    if not isinstance(func, cst.Attribute) or func.attr.value != "Semaphore":
        return None  # would need an import
    text = source.code(func)
    return Fix("make it bounded", (Edit(source.span(func), text.removesuffix("Semaphore") + "BoundedSemaphore"),))


RULE = Rule(
    code="CON418",
    name="semaphore-without-bound",
    triggers=calls(*SEMAPHORES, *(f"{name}.{method}" for name in SEMAPHORES for method in ("acquire", "release"))),
    check=check,
    conclude=conclude,
    default=False,
    examples=(
        Bad(
            """
            import threading

            slots = threading.Semaphore(5)  # expect: CON418

            def begin(pool, job):
                slots.acquire()
                pool.submit(job).add_done_callback(done)

            def done(future):
                slots.release()
            """,
            fixed="""
            import threading

            slots = threading.BoundedSemaphore(5)  # expect: CON418

            def begin(pool, job):
                slots.acquire()
                pool.submit(job).add_done_callback(done)

            def done(future):
                slots.release()
            """,
        ),
        Bad("""
            from asyncio import Semaphore as Slots

            class Client:
                def __init__(self, connect):
                    self._free = Slots(value=10)  # expect: CON418
                    self._connect = connect

                async def open(self):
                    await self._free.acquire()
                    return await self._connect(on_close=lambda: self._free.release())
            """),
        Bad("""
            import multiprocessing as mp

            class Turnstile:
                def __init__(self):
                    self.places = mp.Semaphore(3)  # expect: CON418

                def enter(self):
                    self.places.acquire()

                def leave(self):
                    self.places.release()
            """),
        Good("""
            import threading

            ready = threading.Semaphore(0)
            slots = threading.Semaphore(4)
            bounded = threading.BoundedSemaphore(4)

            def signal():
                ready.release()
                bounded.release()

            def work(job, size):
                ready.acquire()
                bounded.acquire()
                own = threading.Semaphore(size)
                own.acquire()
                with slots:
                    job()
                slots.acquire()
                try:
                    job(own.release)
                finally:
                    slots.release()
            """),
    ),
)
