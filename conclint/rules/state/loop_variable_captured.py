"""This function looks at the loop's variable when it runs, and by then the loop has gone on.

A lambda or nested function does not keep the value that a variable has when it is made; it looks the variable up when
it is called.  A worker begins some time later: several of them see the same, later value, and some items are worked on
twice, others never.  How many depends on who is faster.

Hand the value over as an argument: `pool.submit(work, i)`, `Thread(target=work, args=(i,))`.  Where it must be a
lambda, let it keep the value as a default: `lambda i=i: work(i)`.

See https://docs.python.org/3/faq/programming.html#why-do-lambdas-defined-in-a-loop-with-different-values-all-return-the-same-result.

Not reported: rounds that wait for what they have begun (`join`, `result`, `await`, a `with` block of their own pool),
loops that are left at once, and what is called back at once (`sorted(key=…)`).

The fix gives a lambda the value as a default.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.model import Edit, Finding, Fix, Safety, Span
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.captures import Capture
    from conclint.source.source import Source

_LOOP = "asyncio.AbstractEventLoop"
DEFERRING = frozenset(
    (
        *("threading.Thread", "threading.Timer", "_thread.start_new_thread", "asyncio.to_thread"),
        *(f"concurrent.futures.{kind}.submit" for kind in ("ThreadPoolExecutor", "ProcessPoolExecutor", "Executor")),
        "concurrent.futures.Future.add_done_callback",
        *(f"multiprocessing.pool.{kind}.apply_async" for kind in ("Pool", "ThreadPool")),
        "multiprocessing.Process",
        *(f"{_LOOP}.{name}" for name in ("call_soon", "call_soon_threadsafe", "call_later", "run_in_executor")),
        "asyncio.Future.add_done_callback",
    )
)


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.captures import captures

    deferring = (call for call in source.all(cst.Call) if DEFERRING & {*source.names(call.func)})
    for one in captures(source, deferring):
        names = ", ".join(f"`{name}`" for name in one.names)
        verb = "has" if len(one.names) == 1 else "have"
        yield Finding(
            source.place(one.argument.value),
            f"{names} {verb} the value of a later round when this runs, since it is looked up only then; "
            "hand the value over as an argument",
            fix=_kept(source, one),
        )


def _kept(source: Source, one: Capture) -> Fix | None:
    """`lambda: f(i)` as `lambda i=i: f(i)`."""
    function = one.function
    params = function.params
    if not isinstance(function, cst.Lambda) or params.star_kwarg is not None or params.kwonly_params:
        return None
    if not isinstance(params.star_arg, cst.MaybeSentinel):
        return None
    defaults = ", ".join(f"{name}={name}" for name in one.names)
    given = [*params.posonly_params, *params.params]
    if given:
        end = source.span(given[-1])
        edit = Edit(Span(end.end_line, end.end_column, end.end_line, end.end_column), f", {defaults}")
    else:
        start = source.span(function)
        column = start.column + len("lambda")
        edit = Edit(Span(start.line, column, start.line, column), f" {defaults}")
    return Fix("keep the value as a default", (edit,), Safety.SAFE)


RULE = Rule(
    code="CON316",
    name="loop-variable-captured",
    triggers=calls(*DEFERRING),
    check=check,
    examples=(
        Bad(
            """
            from concurrent.futures import ThreadPoolExecutor

            def run(work):
                with ThreadPoolExecutor() as pool:
                    for i in range(3):
                        pool.submit(lambda: work(i))  # expect: CON316
            """,
            fixed="""
            from concurrent.futures import ThreadPoolExecutor

            def run(work):
                with ThreadPoolExecutor() as pool:
                    for i in range(3):
                        pool.submit(lambda i=i: work(i))  # expect: CON316
            """,
        ),
        Bad("""
            import threading

            def fetch_all(urls, fetch):
                threads = []
                for url in urls:
                    name = url.rpartition("/")[2]

                    def job():
                        print(name, fetch(url))

                    thread = threading.Thread(target=job)  # expect: CON316
                    thread.start()
                    threads.append(thread)
                return threads
            """),
        Bad(
            """
            import asyncio

            async def fetch_all(urls, fetch, note):
                for url in urls:
                    task = asyncio.create_task(fetch(url))
                    task.add_done_callback(lambda done: note(url, done))  # expect: CON316
                await asyncio.gather(*(asyncio.to_thread(lambda: len(url)) for url in urls))  # expect: CON316
            """,
            fixed="""
            import asyncio

            async def fetch_all(urls, fetch, note):
                for url in urls:
                    task = asyncio.create_task(fetch(url))
                    task.add_done_callback(lambda done, url=url: note(url, done))  # expect: CON316
                await asyncio.gather(*(asyncio.to_thread(lambda url=url: len(url)) for url in urls))  # expect: CON316
            """,
        ),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            def run(work):
                with ThreadPoolExecutor() as pool:
                    for i in range(3):
                        pool.submit(work, i)
                        pool.submit(lambda i=i: work(i))
                        pool.submit(lambda: work(0))
            """),
        Good("""
            import threading

            def run(work, items):
                for item in items:
                    thread = threading.Thread(target=lambda: work(item))
                    thread.start()
                    thread.join()
            """),
        Good("""
            import asyncio

            async def run(work, items):
                loop = asyncio.get_running_loop()
                for item in items:
                    await loop.run_in_executor(None, lambda: work(item))
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            def run(work, groups):
                for group in groups:
                    with ThreadPoolExecutor() as pool:
                        pool.submit(lambda: work(group))
                    print(sorted(group, key=lambda item: item + len(group)))
            """),
        Good("""
            import threading

            def first(items, work):
                for item in items:
                    if item:
                        threading.Thread(target=lambda: work(item)).start()
                        break
            """),
    ),
)
