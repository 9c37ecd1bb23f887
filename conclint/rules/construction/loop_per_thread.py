"""Each of these threads only runs an event loop of its own, for one coroutine: one loop would run them all.

A thread per `asyncio.run` pays for both: a stack and an event loop per item, and no connection, session or semaphore
can be shared, since these belong to one loop.

Gather the coroutines in one loop: `asyncio.run(main())` with `await asyncio.gather(*map(fetch, urls))` in it.

https://docs.python.org/3/library/asyncio-task.html#running-tasks-concurrently

Not reported: a single coroutine in a thread beside synchronous code, functions that do anything else besides, and
tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.lives import THREAD
from conclint.model import Finding, Note
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.makers import Maker
from conclint.source.testcode import in_test

if TYPE_CHECKING:
    from conclint.source.source import Source

EXECUTORS = tuple(f"concurrent.futures.{kind}" for kind in ("Executor", "ThreadPoolExecutor"))
POOL = "multiprocessing.pool.ThreadPool"
MAPS = (
    *(f"{one}.map" for one in EXECUTORS),
    *(f"{POOL}.{name}" for name in ("map", "map_async", "imap", "imap_unordered", "starmap")),
)
ONCE = (*(f"{one}.submit" for one in EXECUTORS), f"{POOL}.apply_async", THREAD)
RUN = "asyncio.run"


def check(source: Source) -> Iterator[Finding]:
    for call in source.all(cst.Call):
        maps = source.calls(call, *MAPS)
        if not maps and not (source.calls(call, *ONCE) and source.loop(call) is not None):
            continue
        if not in_test(source, call) and _runs_loops(source, call):
            what = "each thread only runs an event loop for one coroutine; `asyncio.gather` them in one loop"
            yield Finding(source.place(call), what, _notes(source, call))


def _runs_loops(source: Source, call: cst.Call) -> bool:
    """Whether what is given is `asyncio.run`, or a function that does nothing else."""
    first = next(iter(call.args), None)
    given = Maker(call, THREAD, own=False).given("target") if source.calls(call, THREAD) else first
    if given is None or given.star:
        return False
    if RUN in source.names(given.value):
        return True
    _, targets = source.starts(call)
    return bool(targets) and all(target.wraps for target in targets)


def _notes(source: Source, call: cst.Call) -> tuple[Note, ...]:
    return tuple(note for target in source.starts(call)[1] for _, notes in target.traces[:1] for note in notes[:1])


RULE = Rule(
    code="CON121",
    name="loop-per-thread",
    triggers=calls(*MAPS, *ONCE),
    check=check,
    examples=(
        Bad("""
            import asyncio
            from concurrent.futures import ThreadPoolExecutor

            async def fetch(url):
                await asyncio.sleep(1)
                return url

            def call(url):
                return asyncio.run(fetch(url))

            def fetch_all(urls):
                with ThreadPoolExecutor() as pool:
                    return list(pool.map(call, urls))  # expect: CON121
            """),
        Bad("""
            import asyncio
            import threading

            async def ping(host):
                await asyncio.sleep(1)

            def ping_all(hosts):
                threads = []
                for host in hosts:
                    threads.append(threading.Thread(target=asyncio.run, args=(ping(host),)))  # expect: CON121
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
            """),
        Bad("""
            import asyncio
            import concurrent.futures as cf

            class Client:
                async def load(self, page):
                    return page

                def load_now(self, page):
                    return asyncio.run(self.load(page))

                def load_all(self, pages):
                    with cf.ThreadPoolExecutor() as pool:
                        futures = [pool.submit(self.load_now, page) for page in pages]  # expect: CON121
                        return [future.result() for future in futures]
            """),
        Good("""
            import asyncio

            async def fetch(url):
                await asyncio.sleep(1)
                return url

            async def fetch_all(urls):
                return await asyncio.gather(*map(fetch, urls))
            """),
        Good("""
            import asyncio
            import threading

            async def serve():
                await asyncio.sleep(60)

            def begin():
                thread = threading.Thread(target=asyncio.run, args=(serve(),))
                thread.start()
                return thread
            """),
        Good("""
            import asyncio
            from concurrent.futures import ThreadPoolExecutor

            async def fetch(url):
                await asyncio.sleep(1)
                return url

            def save(url):
                with open("page", "w") as file:
                    file.write(asyncio.run(fetch(url)))

            def save_all(urls):
                with ThreadPoolExecutor() as pool:
                    list(pool.map(save, urls))
            """),
    ),
)
