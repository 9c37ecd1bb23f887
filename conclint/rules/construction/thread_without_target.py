"""A thread without a target does nothing, and a target in the first place is an `AssertionError`.

The first parameter of `Thread` and `Process` is `group`, which must be `None`; the second is `target`.
`Thread(work)` therefore fails at once, and `Thread(args=(x,))` starts a thread that ends without having done
anything.

Write `Thread(target=work)`.

Not reported: arguments that come in `**options`, subclasses, which say in `run` what is done, a `run` that is
assigned later, and objects that nobody starts; nor are tests asked for a target.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.lives import PROCESS, THREAD
from conclint.model import Edit, Finding, Fix, Safety, Span
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.makers import Maker, functions, makers
from conclint.source.paths import path_of
from conclint.source.testcode import in_test

if TYPE_CHECKING:
    from conclint.source.source import Source


def check(source: Source) -> Iterator[Finding]:
    for made in makers(source):
        if made.kind not in (THREAD, PROCESS) or made.own or made.collects:
            continue
        group, target = made.given("group"), made.given("target")
        if group is not None and _is_target(source, made, group):
            text = source.code(group.value)
            yield Finding(
                source.place(made.call),
                f"`{text}` is given as `group`, which is an AssertionError; write `target={text}`",
                fix=_as_target(source, made, group),
            )
        elif target is None and _is_started(source, made.call) and not in_test(source, made.call):
            yield Finding(
                source.place(made.call),
                f"this {made.kind.rpartition('.')[2].lower()} has no target and does nothing; give it a `target`",
            )


def _is_target(source: Source, made: Maker, group: cst.Arg) -> bool:
    """Whether the argument in the place of `group` is what ought to run."""
    if isinstance(group.value, cst.Lambda) or functions(source, group.value):
        return True
    is_none = isinstance(group.value, cst.Name) and group.value.value == "None"
    return made.given("target") is None and not is_none and group.keyword is None


def _as_target(source: Source, made: Maker, group: cst.Arg) -> Fix | None:
    args = made.call.args
    span = source.span(group.keyword or group)
    start = Span(span.line, span.column, span.line, span.column)
    if group.keyword is not None:
        return Fix("pass it as `target`", (Edit(span, "target"),), Safety.SAFE)
    if len(args) > 1 and args[1].keyword is None:
        if len(args) > 2 or not isinstance(args[1].value, cst.Tuple):
            return None  # what the other arguments are meant to be is for the author to say
        second = source.span(args[1])
        named = Edit(Span(second.line, second.column, second.line, second.column), "args=")
        return Fix("pass it as `target`", (Edit(start, "target="), named), Safety.SAFE)
    return Fix("pass it as `target`", (Edit(start, "target="),), Safety.SAFE)


def _is_started(source: Source, call: cst.Call) -> bool:
    """Whether somebody starts it as it is: its `run` is not replaced in the function that makes it."""
    fate = source.fate(call)
    if fate is None or not fate.begun:
        return False
    around = source.function_node(call)
    return not any(
        path_of(assigned.target).endswith((".run", "._target")) and source.function_node(assigned) is around
        for assigned in source.all(cst.AssignTarget)
    )


RULE = Rule(
    code="CON108",
    name="thread-without-target",
    triggers=calls(THREAD, PROCESS),
    check=check,
    examples=(
        Bad(
            """
            import threading

            def begin():
                thread = threading.Thread(lambda: print("working"))  # expect: CON108
                thread.start()
                thread.join()
            """,
            fixed="""
            import threading

            def begin():
                thread = threading.Thread(target=lambda: print("working"))  # expect: CON108
                thread.start()
                thread.join()
            """,
        ),
        Bad(
            """
            from multiprocessing import Process

            def work(name):
                print(name)

            def begin(name):
                process = Process(work, (name,))  # expect: CON108
                process.start()
                process.join()
            """,
            fixed="""
            from multiprocessing import Process

            def work(name):
                print(name)

            def begin(name):
                process = Process(target=work, args=(name,))  # expect: CON108
                process.start()
                process.join()
            """,
        ),
        Bad("""
            import threading

            def begin(name):
                thread = threading.Thread(name=name)  # expect: CON108
                thread.start()
                thread.join()
            """),
        Good("""
            import threading

            def begin(**options):
                thread = threading.Thread(**options)
                thread.start()
                thread.join()
            """),
        Good("""
            import threading

            class Worker(threading.Thread):
                def run(self):
                    print("working")

            def begin():
                worker = Worker(name="worker")
                worker.start()
                worker.join()
            """),
        Good("""
            import threading

            def work():
                print("working")

            def begin():
                thread = threading.Thread(None, work)
                thread.start()
                thread.join()
            """),
    ),
)
