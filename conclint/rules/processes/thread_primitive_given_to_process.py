"""A process gets a copy of this, not the thing itself: what one side does with it, the other never sees.

`threading.Lock`, `threading.Event` and `queue.Queue` live in the memory of one process.  A forked child has a copy of
its own: a lock that keeps nobody out, an event that is never set, a queue that stays empty; the child waits for ever.
A child that is not forked does not even start: `TypeError: cannot pickle '_thread.lock' object`.

`multiprocessing` has the same types for processes: `multiprocessing.Lock()`, `Event()`, `Queue()`.

See https://docs.python.org/3/library/multiprocessing.html#synchronization-primitives.

Not reported: what may also be one of the types for processes, and what threads and processes are given only as part of
another object.

The fix makes the twin instead, where the object is a local variable that is made in one place.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.pickling import TWINS
from conclint.model import Finding, Fix, Note
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.program.evidence import Evidence
    from conclint.source.sending import Sent
    from conclint.source.source import Source

PROCESS = "multiprocessing.Process"


def check(source: Source) -> Iterator[Finding]:
    from conclint.program.pickles import kind_of
    from conclint.source.sending import QUEUED, sent

    for one in sent(source):
        types = source.types(one.value)
        kind = kind_of(types)
        if one.runs or one.method == QUEUED or kind not in TWINS or types[0] != kind:
            continue
        if set(types) - {*source.knowledge.ancestors(kind)}:
            continue  # one of several: the other may be for processes
        made = _made(source, one.value)
        yield Finding(
            source.place(one.value),
            f"the process gets a copy of `{source.code(one.value)}`, a `{kind}` that only threads share; "
            f"use `multiprocessing.{TWINS[kind]}`",
            notes=(Note(source.place(made), "made here"),) if made is not None else (),
            fix=_twin(source, one, made, kind),
        )


def conclude(evidence: Evidence) -> Iterator[Finding]:
    """Objects of subclasses of Process: the parent's copy and the child's."""
    for held, _ in evidence.program.sent_processes():
        if held.kind in TWINS:
            yield Finding(
                held.place,
                f"parent and child each have a `self.{held.attribute}` of their own: a `{held.kind}` is shared by "
                f"threads only; use `multiprocessing.{TWINS[held.kind]}`",
            )


def _made(source: Source, value: cst.BaseExpression) -> cst.Call | None:
    """The call that makes it, if it is the only one that the variable is ever bound to."""
    from conclint.source.paths import path_of

    if not isinstance(value, cst.Name):
        return None
    around = source.function_node(value)
    bound = [
        source.parent(target)
        for target in source.all(cst.AssignTarget)
        if path_of(target.target) == value.value and source.function_node(target) is around
    ]
    only = bound[0] if len(bound) == 1 else None
    return only.value if isinstance(only, cst.Assign) and isinstance(only.value, cst.Call) else None


def _twin(source: Source, one: Sent, made: cst.Call | None, kind: str) -> Fix | None:
    """The same made by what makes the process: `mp.Lock()` beside `mp.Process`."""
    from conclint.source.imports import imported

    if made is None or source.function_node(made) is None or not source.calls(made, kind):
        return None
    maker = one.call.func
    if isinstance(maker, cst.Attribute) and source.names(maker.value)[:1] == ("multiprocessing",):
        spelled, edits = f"{source.code(maker.value)}.{TWINS[kind]}", ()
    else:
        known = imported(source, "multiprocessing", TWINS[kind])
        if known is None:
            return None
        return Fix(f"`multiprocessing.{TWINS[kind]}`", (*known.edits, source.replace(made.func, known.spelled)))
    return Fix(f"`{spelled}`", (*edits, source.replace(made.func, spelled)))


RULE = Rule(
    code="CON608",
    name="thread-primitive-given-to-process",
    triggers=calls(PROCESS, "multiprocessing.pool.Pool", "concurrent.futures.ProcessPoolExecutor"),
    check=check,
    conclude=conclude,
    examples=(
        Bad(
            """
            import multiprocessing as mp
            import queue

            def work(jobs):
                print(jobs.get())

            def run():
                jobs = queue.Queue()
                process = mp.Process(target=work, args=(jobs,))  # expect: CON608
                process.start()
                jobs.put("paint")
                process.join()
            """,
            fixed="""
            import multiprocessing as mp
            import queue

            def work(jobs):
                print(jobs.get())

            def run():
                jobs = mp.Queue()
                process = mp.Process(target=work, args=(jobs,))  # expect: CON608
                process.start()
                jobs.put("paint")
                process.join()
            """,
        ),
        Bad(
            """
            from multiprocessing import Process
            from threading import Event, Lock

            def work(*, stop, lock):
                while not stop.is_set():
                    with lock:
                        print("working")

            class Supervisor:
                def __init__(self):
                    self.stop = Event()

                def run(self):
                    lock = Lock()
                    child = Process(target=work, kwargs={"stop": self.stop, "lock": lock})  # expect: CON608
                    child.start()
                    self.stop.set()
                    child.join()
            """,
        ),
        Bad("""
            import threading
            from concurrent.futures import ProcessPoolExecutor

            def begin(lock):
                work.lock = lock

            def work(item):
                with work.lock:
                    return item

            def run(items):
                lock = threading.Lock()
                with ProcessPoolExecutor(initializer=begin, initargs=(lock,)) as pool:  # expect: CON608
                    return list(pool.map(work, items))
            """),
        Bad("""
            import multiprocessing
            import threading

            class Worker(multiprocessing.Process):
                def __init__(self):
                    super().__init__()
                    self._stopping = threading.Event()  # expect: CON608

                def stop(self):
                    self._stopping.set()

                def run(self):
                    self._stopping.wait()
            """),
        Good("""
            import multiprocessing as mp

            def work(jobs, stop):
                while not stop.is_set():
                    print(jobs.get())

            def run():
                jobs, stop = mp.Queue(), mp.Event()
                process = mp.Process(target=work, args=(jobs, stop))
                process.start()
                jobs.put("paint")
                stop.set()
                process.join()
            """),
        Good("""
            import queue
            import threading
            from multiprocessing.dummy import Process

            def work(jobs, stop):
                print(jobs.get(), stop)

            def run():
                jobs, stop = queue.Queue(), threading.Event()
                worker = Process(target=work, args=(jobs, stop))  # a thread
                worker.start()
                jobs.put("paint")
                worker.join()
            """),
        Good("""
            import multiprocessing
            import queue
            import threading

            def run(work, *, threads):
                jobs = queue.Queue() if threads else multiprocessing.Queue()
                kind = threading.Thread if threads else multiprocessing.Process
                worker = kind(target=work, args=(jobs,))
                worker.start()
                jobs.put("paint")
                worker.join()
            """),
        Good("""
            import multiprocessing
            import threading

            class Worker(multiprocessing.Process):
                def run(self):
                    self._lock = threading.Lock()  # for the threads of the child
                    with self._lock:
                        print("running")
            """),
    ),
)
