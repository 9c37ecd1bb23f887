"""This thread was started before, and a thread can be started once only.

The second `start()` raises "RuntimeError: threads can only be started once" (a process fails an assertion), also
when the first run is over and joined.

Make a new object for each run.

https://docs.python.org/3/library/threading.html#threading.Thread.start

Not reported: objects that are made anew in between, starts in exclusive branches, classes with a `start` of their
own, and code that expects the error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.lives import PROCESS, THREAD, Stage, calls_to, moves
from conclint.model import Finding, Note
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source

# What is None before the first start.
ASKED = re.compile(r"\.(_started|ident|pid)\b")

MOVES = moves(Stage.WORKS, THREAD, PROCESS)


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.typestate import Life, paths_of

    for function, path in paths_of(source, frozenset(MOVES)):
        for step in Life(source, path, MOVES).steps(function):
            kind = next((one for one in (THREAD, PROCESS) if source.calls(step.call, *calls_to(Stage.WORKS, one))), "")
            if not kind or _is_expected(source, step.call):
                continue
            what = kind.rpartition(".")[2].lower()
            again = " each time round the loop" if step.before.since is step.call else ""
            message = f"`{path}` is started again{again}, which raises; make a new {what} for each run"
            yield Finding(source.place(step.call), message, (Note(source.place(step.before.since), "started here"),))


def _is_expected(source: Source, call: cst.Call) -> bool:
    """Whether the code expects the error, asks first, or the receiver is a property, which may give another object."""
    from conclint.source.testcode import expects_trouble, forgives

    made_anew = isinstance(call.func, cst.Attribute) and "builtins.property" in source.names(call.func.value)
    asked = (one.test for one in source.ancestors(call) if isinstance(one, cst.If))
    made_anew = made_anew or any(ASKED.search(source.code(test)) for test in asked)
    return made_anew or expects_trouble(source, call) or forgives(source, call, "RuntimeError", "AssertionError")


RULE = Rule(
    code="CON113",
    name="thread-started-twice",
    triggers=calls(*calls_to(Stage.WORKS, THREAD, PROCESS)),
    check=check,
    examples=(
        Bad("""
            import threading

            def twice(work):
                thread = threading.Thread(target=work)
                thread.start()
                thread.join()
                thread.start()  # expect: CON113
                thread.join()
            """),
        Bad("""
            from multiprocessing import Process

            def again_and_again(work, rounds):
                process = Process(target=work)
                for _ in range(rounds):
                    process.start()  # expect: CON113
                    process.join()
            """),
        Bad("""
            from threading import Thread

            class Worker(Thread):
                def run(self):
                    print("working")

            class Office:
                def open(self, quick):
                    self._worker = Worker()
                    self._worker.start()
                    if not quick:
                        self._worker.join()
                        self._worker.start()  # expect: CON113
            """),
        Good("""
            import threading

            def twice(work):
                for _ in range(2):
                    thread = threading.Thread(target=work)
                    thread.start()
                    thread.join()
            """),
        Good("""
            import threading

            def either(work, early):
                thread = threading.Thread(target=work)
                if early:
                    thread.start()
                print("ready")
                if not early:
                    thread.start()
                thread.join()
            """),
        Good("""
            import threading

            class Office:
                def __init__(self, work):
                    self.work = work
                    self._renew()

                def _renew(self):
                    self._thread = threading.Thread(target=self.work)

                def twice(self):
                    self._thread.start()
                    self._thread.join()
                    self._renew()
                    self._thread.start()
                    self._thread.join()
            """),
        Good("""
            import threading

            def until_it_works(work, retries):
                thread = threading.Thread(target=work)
                for _ in range(retries):
                    try:
                        thread.start()
                        return thread
                    except OSError:
                        continue
                return None
            """),
    ),
)
