"""A thread or an executor that is given an `async def` only makes a coroutine: none of its code runs.

Calling a coroutine function returns a coroutine object, and that is all the worker does. Nobody awaits it, so the
body never runs; Python says "coroutine was never awaited" on standard error, if at all, and the future's result is
the coroutine.

Give the worker something that runs it: `threading.Thread(target=asyncio.run, args=(job(),))`. Where there is a loop
already, leave the worker out and `await` the coroutine, or hand it over with `asyncio.run_coroutine_threadsafe`.

https://docs.python.org/3/library/asyncio-task.html#coroutines

Not reported: functions with decorators, which may run the coroutine; subclasses of `Thread` and of executors of the
program's own, which may do so too; functions that nobody can see; and tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.kinds import Spawner
from conclint.knowledge.lives import PROCESS
from conclint.model import Edit, Finding, Fix
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.makers import MADE, Maker, makes_coroutine
from conclint.source.paths import argument
from conclint.source.testcode import expects_trouble, in_test

if TYPE_CHECKING:
    from conclint.source.source import Source

EXECUTORS = ("Executor", "ThreadPoolExecutor", "ProcessPoolExecutor", "InterpreterPoolExecutor")
POOLS = ("multiprocessing.pool.Pool", "multiprocessing.pool.ThreadPool")
METHODS = ("apply", "apply_async", "map", "map_async", "imap", "imap_unordered", "starmap", "starmap_async")

GIVES = (
    *MADE,
    *(f"concurrent.futures.{kind}.{name}" for kind in EXECUTORS for name in ("submit", "map")),
    *(f"{pool}.{name}" for pool in POOLS for name in METHODS),
    "asyncio.to_thread",
    "asyncio.AbstractEventLoop.run_in_executor",
    "joblib.delayed",
)


def check(source: Source) -> Iterator[Finding]:
    spawners = source.knowledge.spawners
    for call in source.all(cst.Call):
        names = source.names(call.func)
        how = next((name for name in GIVES if name in names), "")
        if not how or any(":" in name for name in names):
            continue
        given = _given(call, spawners[how])
        if given is None or given.star or expects_trouble(source, call) or in_test(source, call):
            continue
        if makes_coroutine(source, given.value):
            what = f"`{source.code(given.value)}` is an `async def`: the worker makes a coroutine, and runs none of it"
            fix = _fix(source, call, how, given)
            yield Finding(source.place(call), f"{what}; let `asyncio.run` run it there", fix=fix)


def _given(call: cst.Call, spawner: Spawner) -> cst.Arg | None:
    return argument(call, spawner.keyword or "", spawner.position)


def _fix(source: Source, call: cst.Call, how: str, given: cst.Arg) -> Fix | None:
    """`target=asyncio.run, args=(job(x),)`: for threads only, since a coroutine cannot be sent to another process."""
    from conclint.source.edits import imported

    made = Maker(call, how, own=False)
    if (
        how not in MADE
        or how == PROCESS
        or isinstance(given.value, cst.Lambda)
        or made.given("kwargs") is not None
        or made.collects
    ):
        return None
    args = made.given("args")
    plain = args is None or (isinstance(args.value, cst.Tuple) and bool(args.value.lpar))
    run = imported(source, "asyncio", "run") if plain else None
    if run is None:
        return None
    job = source.code(given.value)
    title = "run the coroutine in the thread"
    if args is None:
        new = Edit(source.span(given.value), f"{run.spelled}, args=({job}(),)")
        return Fix(title, (new, *run.edits)) if given.keyword is not None else None
    inner = source.code(args.value)[1:-1].rstrip(", ")
    called = Edit(source.span(args.value), f"{job}({inner}),")
    return Fix(title, (source.replace(given.value, run.spelled), called, *run.edits))


RULE = Rule(
    code="CON110",
    name="coroutine-function-in-worker",
    triggers=calls(*GIVES),
    check=check,
    examples=(
        Bad(
            """
            import asyncio
            import threading

            async def poll(host):
                await asyncio.sleep(1)

            def begin(host):
                thread = threading.Thread(target=poll, args=(host,))  # expect: CON110
                thread.start()
                return thread
            """,
            fixed="""
            import asyncio
            import threading

            async def poll(host):
                await asyncio.sleep(1)

            def begin(host):
                thread = threading.Thread(target=asyncio.run, args=(poll(host),))  # expect: CON110
                thread.start()
                return thread
            """,
        ),
        Bad("""
            from concurrent.futures import ThreadPoolExecutor

            class Crawler:
                def __init__(self):
                    self._pool = ThreadPoolExecutor()

                async def fetch(self, url):
                    return url

                def crawl(self, urls):
                    return list(self._pool.map(self.fetch, urls))  # expect: CON110
            """),
        Bad("""
            import asyncio as aio

            async def load(path):
                return path

            async def main(paths):
                return await aio.gather(*(aio.to_thread(load, path) for path in paths))  # expect: CON110
            """),
        Good("""
            import asyncio
            import threading

            async def poll(host):
                await asyncio.sleep(1)

            def begin(host):
                thread = threading.Thread(target=asyncio.run, args=(poll(host),))
                thread.start()
                return thread
            """),
        Good("""
            import asyncio
            import functools
            from concurrent.futures import ThreadPoolExecutor

            def synchronous(function):
                @functools.wraps(function)
                def run(*args):
                    return asyncio.run(function(*args))
                return run

            @synchronous
            async def fetch(url):
                return url

            def crawl(urls):
                with ThreadPoolExecutor() as pool:
                    return list(pool.map(fetch, urls))
            """),
        Good("""
            import asyncio
            import threading

            class LoopThread(threading.Thread):
                def __init__(self, target):
                    super().__init__()
                    self.target = target

                def run(self):
                    asyncio.run(self.target())

            async def poll():
                await asyncio.sleep(1)

            def begin():
                thread = LoopThread(target=poll)
                thread.start()
                return thread
            """),
    ),
)
