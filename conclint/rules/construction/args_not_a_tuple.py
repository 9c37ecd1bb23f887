"""`args=(x)` is not a tuple: the thread's target gets one argument per character, or none at all.

Only the comma makes a tuple.  `args=("job")` is the text `"job"`, and the target is called with its characters:
`f("j", "o", "b")`.  A number, or any other thing that cannot be walked over, is a `TypeError` in the new thread,
where nobody sees it.

Write `args=("job",)`.

Not reported: names that are bound to tuples or lists, or to what nobody can see.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.lives import TIMER
from conclint.model import Edit, Finding, Fix, Safety, Span
from conclint.program.triggers import Triggers
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.literals import is_one_value
from conclint.source.makers import MADE, initialisers, makers
from conclint.source.paths import argument, path_of

if TYPE_CHECKING:
    from conclint.source.source import Source


APPLY = ("apply", "apply_async")

# docs.python.org/3/library/multiprocessing.html#multiprocessing.pool.Pool
# docs.python.org/3/library/concurrent.futures.html
PASSED: dict[str, tuple[str, int]] = {
    **{f"multiprocessing.pool.{pool}.{name}": ("args", 1) for pool in ("Pool", "ThreadPool") for name in APPLY},
    **{f"multiprocessing.pool.{pool}": ("initargs", 2) for pool in ("Pool", "ThreadPool")},
    "concurrent.futures.ThreadPoolExecutor": ("initargs", 3),
    "concurrent.futures.ProcessPoolExecutor": ("initargs", 3),
}


def check(source: Source) -> Iterator[Finding]:
    for args in _given(source):
        if is_one_value(source, args.value):
            text = source.code(args.value).strip("() ")
            yield Finding(
                source.place(args.value),
                f"`args` is `{text}` itself, not a tuple that holds it; write `({text},)`",
                fix=_in_tuple(source, args.value),
            )


def _given(source: Source) -> Iterator[cst.Arg]:
    """What stands where the arguments of a worker go."""
    for made in (*(one for one in makers(source) if not one.own), *initialisers(source)):
        args = made.given("args")
        # A timer takes `None` for no arguments.
        if args is not None and not args.star and (made.kind != TIMER or path_of(args.value) != "None"):
            yield args
    for call in source.all(cst.Call):
        name = next((one for one in source.names(call.func)[:1] if one in PASSED), "")
        passed = argument(call, *PASSED[name]) if name else None
        if passed is not None and not passed.star:
            yield passed


def _in_tuple(source: Source, value: cst.BaseExpression) -> Fix | None:
    text = source.code(value)
    span = source.span(value)
    if value.lpar:
        after = Span(span.end_line, span.end_column, span.end_line, span.end_column)
        return Fix("make it a tuple", (Edit(after, ","),), Safety.SAFE)
    if "\n" in text:
        return None  # a text over several lines: where its brackets go is a matter of taste
    return Fix("make it a tuple", (Edit(span, f"({text},)"),), Safety.SAFE)


RULE = Rule(
    code="CON107",
    name="args-not-a-tuple",
    triggers=Triggers(calls=frozenset({*MADE, *PASSED}), bases=frozenset(MADE)),
    check=check,
    examples=(
        Bad(
            """
            import threading

            def work(name):
                print(name)

            def begin():
                thread = threading.Thread(target=work, args=("job-1"))  # expect: CON107
                thread.start()
                thread.join()
            """,
            fixed="""
            import threading

            def work(name):
                print(name)

            def begin():
                thread = threading.Thread(target=work, args=("job-1",))  # expect: CON107
                thread.start()
                thread.join()
            """,
        ),
        Bad(
            """
            import multiprocessing

            def work(number):
                print(number)

            def begin():
                for number in range(8):
                    multiprocessing.Process(target=work, args=(number)).start()  # expect: CON107
                multiprocessing.Process(target=work, args=f"last {number}").start()  # expect: CON107
            """,
            fixed="""
            import multiprocessing

            def work(number):
                print(number)

            def begin():
                for number in range(8):
                    multiprocessing.Process(target=work, args=(number,)).start()  # expect: CON107
                multiprocessing.Process(target=work, args=(f"last {number}",)).start()  # expect: CON107
            """,
        ),
        Good("""
            import threading

            def work(name):
                print(name)

            def begin():
                thread = threading.Thread(target=work, args=("job-1",))
                thread.start()
                thread.join()
            """),
        Good("""
            import threading

            def work(*names):
                print(names)

            def begin(names):
                thread = threading.Thread(target=work, args=(names))
                thread.start()
                thread.join()
            """),
        Good("""
            import threading

            JOB = ("job-1",)

            def work(name):
                print(name)

            def begin():
                thread = threading.Thread(target=work, args=(JOB))
                thread.start()
                thread.join()
            """),
    ),
)
