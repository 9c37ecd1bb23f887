"""A process that is killed while it uses a queue, pipe or lock leaves it broken for all others.

`terminate()` and `kill()` stop the process wherever it is: in the middle of a write, so that the queue's next reader
gets half an item, or with a lock in its hand, which nobody gives back any more.  Whoever uses the same queue or lock
afterwards waits for ever, or reads garbage.

Ask the process to end (an Event, a None in the queue), wait with `join(timeout)`, and terminate it only if it is still
there.  What it shared should not be used after that.

See https://docs.python.org/3/library/multiprocessing.html#multiprocessing.Process.terminate.

Not reported: termination as the last resort, after a `join` with a timeout or a look at `is_alive()`, and where what
was shared is not used any more in the same function.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.model import Finding, Note
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.paths import path_of
from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.source.source import Source

PROCESS = "multiprocessing.Process"
SHARED = frozenset(
    f"multiprocessing.{name}"
    for name in ("Queue", "JoinableQueue", "SimpleQueue", "Lock", "RLock", "Condition", "Semaphore")
)
USING = frozenset(
    {"get", "put", "get_nowait", "put_nowait", "acquire", "empty", "join", "wait", "notify", "notify_all"}
)


def check(source: Source) -> Iterator[Finding]:
    for call in source.all(cst.Call):
        func = call.func
        if not isinstance(func, cst.Attribute) or func.attr.value not in ("terminate", "kill"):
            continue
        if PROCESS not in source.types(func.value) or _is_last_resort(source, call, func.value):
            continue
        for shared in _shared(source, call, func.value):
            use = _used_after(source, call, shared)
            if use is not None:
                yield Finding(
                    source.place(call),
                    f"`{func.attr.value}` can stop the process in the middle of using `{shared}`, which is broken then "
                    "for all who use it later; ask the process to end, and terminate it only if it does not",
                    notes=(Note(source.place(use), f"`{shared}` is used again here"),),
                )
                break


def _is_last_resort(source: Source, call: cst.Call, process: cst.BaseExpression) -> bool:
    """Whether it was given a chance: `join(timeout)` before, `is_alive()` around."""

    path = path_of(process)
    function = source.function_node(call)
    for other in source.all(cst.Call):
        if source.function_node(other) is not function or source.sequence(other) >= source.sequence(call):
            continue
        name = path_of(other.func)
        if name == f"{path}.is_alive" or (name == f"{path}.join" and other.args):
            return True
    return False


def _shared(source: Source, call: cst.Call, process: cst.BaseExpression) -> Iterator[str]:
    """What the process was given, where it is made in the same function, or kept by the same object."""
    from conclint.source.jobs import packed
    from conclint.source.makers import makers

    function = source.function_node(call)
    for made in makers(source):
        assign = source.parent(made.call)
        targets = [path_of(one.target) for one in assign.targets] if isinstance(assign, cst.Assign) else []
        if made.kind != PROCESS or path_of(process) not in targets:
            continue
        if source.function_node(made.call) is function or _same_object(source, made.call, process):
            given = [arg for arg in (made.given("args"), made.given("kwargs")) if arg is not None]
            for item in (one for arg in given for one in packed(arg.value)):
                types = source.types(item)
                if SHARED & {*types} and not any("managers." in name for name in types):
                    yield path_of(item)


def _same_object(source: Source, made: cst.Call, process: cst.BaseExpression) -> bool:
    """Whether another method of the class makes `self.process`."""
    around = source.nearest(process, cst.ClassDef)
    return source.is_receiver(process) and around is not None and source.nearest(made, cst.ClassDef) is around


def _used_after(source: Source, call: cst.Call, shared: str) -> cst.CSTNode | None:

    function = source.function_node(call)
    for use in source.all(cst.Attribute):
        later = source.function_node(use) is function and source.sequence(use) > source.sequence(call)
        if later and path_of(use.value) == shared and use.attr.value in USING:
            return use
    for arg in source.all(cst.Arg):
        later = source.function_node(arg) is function and source.sequence(arg) > source.sequence(call)
        if later and any(path_of(part) == shared for part in below(arg.value)):
            return arg
    for block in source.all(cst.With):
        later = source.function_node(block) is function and source.sequence(block) > source.sequence(call)
        for item in block.items if later else ():
            if path_of(item.item) == shared:
                return item
    return None


RULE = Rule(
    code="CON611",
    name="terminated-with-shared-queue",
    triggers=calls(PROCESS),
    check=check,
    examples=(
        Bad("""
            import multiprocessing as mp

            def work(jobs):
                while True:
                    print(jobs.get())

            def run(items):
                jobs = mp.Queue()
                worker = mp.Process(target=work, args=(jobs,))
                worker.start()
                for item in items:
                    jobs.put(item)
                worker.terminate()  # expect: CON611
                while not jobs.empty():
                    print("left", jobs.get())
            """),
        Bad("""
            from multiprocessing import Lock, Process

            def restart(work, seconds):
                lock = Lock()
                first = Process(target=work, kwargs={"lock": lock})
                first.start()
                first.kill()  # expect: CON611
                with lock:
                    print("restarting")
                second = Process(target=work, kwargs={"lock": lock})
                second.start()
                second.join(seconds)
            """),
        Bad("""
            import multiprocessing

            ctx = multiprocessing.get_context("spawn")

            class Probe:
                def run(self, probe):
                    self.answers = ctx.SimpleQueue()
                    self.child = ctx.Process(target=probe, args=(self.answers,))
                    self.child.start()
                    self.child.terminate()  # expect: CON611
                    self.child.join()
                    return self.answers.get()
            """),
        Good("""
            import multiprocessing as mp

            def run(work, items):
                jobs, stop = mp.Queue(), mp.Event()
                worker = mp.Process(target=work, args=(jobs, stop))
                worker.start()
                stop.set()
                worker.join(10)
                if worker.is_alive():
                    worker.terminate()
                jobs.put(None)
            """),
        Good("""
            import multiprocessing as mp

            def run(work, seconds):
                answers = mp.Queue()
                worker = mp.Process(target=work, args=(answers,))
                worker.start()
                first = answers.get(timeout=seconds)
                worker.terminate()
                return first
            """),
        Good("""
            import multiprocessing as mp

            def run(work, frame):
                worker = mp.Process(target=work, args=(frame,))
                worker.start()
                worker.terminate()
                worker.join()
                return frame
            """),
    ),
)
