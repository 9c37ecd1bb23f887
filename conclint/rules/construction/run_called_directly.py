"""`thread.run()` does the work in the caller, and no thread is ever started.

`run` is what the new thread calls; `start` is what makes it.  A direct `run()` blocks the caller until the work is
done, and an exception in it reaches the caller.

Call `start()`, and `join()` where the work must be done.

Not reported: `super().run()` in an override, `self.run()`, code that also starts the same object (it chooses between
the two), has joined it or handles the exceptions of `run`, code that is in a worker already, tests, which call `run`
on purpose, and `run` methods of anything that is no thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.kinds import Context
from conclint.knowledge.lives import PROCESS, THREAD
from conclint.model import Finding, Fix
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.paths import path_of
from conclint.source.testcode import in_test

if TYPE_CHECKING:
    from conclint.source.source import Source


def check(source: Source) -> Iterator[Finding]:
    for call in source.all(cst.Call):
        func = call.func
        if call.args or not isinstance(func, cst.Attribute) or func.attr.value != "run":
            continue
        kind = _kind(source, func.value)
        if kind and not _on_purpose(source, call, func):
            yield Finding(
                source.place(call),
                f"`{source.code(func)}()` runs in the caller, no {kind} is started; call `start()`",
                fix=Fix("call `start()`", (source.replace(func.attr, "start"),)),
            )


def _kind(source: Source, receiver: cst.BaseExpression) -> str:
    """What the receiver is, where it is nothing else."""
    types = source.types(receiver)
    return next((kind.rpartition(".")[2].lower() for kind in (THREAD, PROCESS) if kind in types), "")


def _on_purpose(source: Source, call: cst.Call, func: cst.Attribute) -> bool:
    """A thread that runs itself, a test, a worker that does the work itself, a caller that wants its exceptions."""
    if isinstance(func.value, cst.Name) and source.is_receiver(func.value):
        return True
    if in_test(source, call) or source.runs(call, Context.THREAD, Context.PROCESS) or _is_tried(source, call):
        return True
    path, around, line = path_of(func.value), source.function_node(call), source.line(call)
    here = [one for one in source.all(cst.Call) if source.function_node(one) is around]
    started = any(path_of(one.func) == f"{path}.start" for one in here)
    return started or any(path_of(one.func) == f"{path}.join" and source.line(one) < line for one in here)


def _is_tried(source: Source, call: cst.Call) -> bool:
    """Whether the function handles what the call raises."""
    child: cst.CSTNode = call
    for outer in source.ancestors(call):
        if isinstance(outer, cst.Try) and child is outer.body and outer.handlers:
            return True
        if isinstance(outer, (cst.FunctionDef, cst.Lambda)):
            return False
        child = outer
    return False


RULE = Rule(
    code="CON109",
    name="run-called-directly",
    triggers=calls(f"{THREAD}.run", f"{PROCESS}.run"),
    check=check,
    examples=(
        Bad(
            """
            import threading

            def work():
                print("working")

            def begin():
                thread = threading.Thread(target=work)
                thread.run()  # expect: CON109
            """,
            fixed="""
            import threading

            def work():
                print("working")

            def begin():
                thread = threading.Thread(target=work)
                thread.start()  # expect: CON109
            """,
        ),
        Bad(
            """
            from multiprocessing import Process

            class Render(Process):
                def run(self):
                    print("rendering")

            def begin():
                Render().run()  # expect: CON109
            """,
            fixed="""
            from multiprocessing import Process

            class Render(Process):
                def run(self):
                    print("rendering")

            def begin():
                Render().start()  # expect: CON109
            """,
        ),
        Good("""
            import threading

            class Loud(threading.Thread):
                def run(self):
                    print("begin")
                    super().run()
            """),
        Good("""
            import threading

            def work():
                print("working")

            def begin(beside):
                thread = threading.Thread(target=work)
                if beside:
                    thread.start()
                else:
                    thread.run()
            """),
        Good("""
            class Server:
                def run(self):
                    print("serving")

            def main():
                Server().run()
            """),
    ),
)
