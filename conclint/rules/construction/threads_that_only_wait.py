"""These threads only wait for servers: in a program with an event loop coroutines do that with less machinery.

Each thread costs a stack and a place in the pool, and waits. Coroutines wait by the thousand in one thread, and share
state without locks between two `await`s.

Use an asynchronous client (`httpx.AsyncClient`, `aiohttp`) and `asyncio.gather`, with a semaphore as the bound.

https://docs.python.org/3/library/asyncio-task.html#running-tasks-concurrently

Not reported: work on files, and what else has no asynchronous client, functions that compute or write files as well,
single calls, and functions that no coroutine comes to.

This is advice, shown only where it is asked for: a library that is called from synchronous code is right to use
threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.effects import CLIENTS
from conclint.knowledge.kinds import Context
from conclint.model import Finding
from conclint.program.effects import Effect
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.paths import path_of
from conclint.source.testcode import in_test

if TYPE_CHECKING:
    from conclint.source.source import Source

EXECUTORS = tuple(f"concurrent.futures.{kind}" for kind in ("Executor", "ThreadPoolExecutor"))
POOL = "multiprocessing.pool.ThreadPool"
TO_THREAD, IN_EXECUTOR = "asyncio.to_thread", "asyncio.AbstractEventLoop.run_in_executor"

# For each of many items, and once.
MAPS = (
    *(f"{one}.map" for one in EXECUTORS),
    *(f"{POOL}.{name}" for name in ("map", "imap", "imap_unordered", "starmap", "map_async", "starmap_async")),
)
SINGLE = (*(f"{one}.submit" for one in EXECUTORS), f"{POOL}.apply_async", TO_THREAD, IN_EXECUTOR)
PROCESSES = tuple(f"concurrent.futures.ProcessPoolExecutor.{name}" for name in ("map", "submit"))

MORE = Effect.BUSY | Effect.RELEASES | Effect.UNKNOWN | Effect.DURABLE


def check(source: Source) -> Iterator[Finding]:
    for call in source.all(cst.Call):
        if not _fans_out(source, call) or not _in_event_loop(source, call) or in_test(source, call):
            continue
        if _only_asks_servers(source, call):
            what = "these threads only wait for servers, and the program has an event loop"
            yield Finding(source.place(call), f"{what}; an asynchronous client and `asyncio.gather` do the same")


def _fans_out(source: Source, call: cst.Call) -> bool:
    """Whether it gives threads work for many items."""
    if source.calls(call, *PROCESSES):
        return False
    start = source.start(call)
    if start is not None and start.handed and start.context is Context.THREAD:
        return start.how in MAPS
    if source.calls(call, *MAPS):
        return True
    return source.calls(call, *SINGLE) and source.loop(call) is not None and not _in_turn(source, call)


def _in_turn(source: Source, call: cst.Call) -> bool:
    """`for …: await asyncio.to_thread(…)`."""
    return isinstance(source.parent(call), cst.Await)


def _in_event_loop(source: Source, call: cst.Call) -> bool:
    """Whether it happens in a coroutine, or in what one calls or gives to a thread."""
    around = source.function(call)
    if source.in_coroutine(call) or around is None:
        return around is not None
    return any(run.context is Context.LOOP or run.how in (TO_THREAD, IN_EXECUTOR) for run in around.runs)


def _only_asks_servers(source: Source, call: cst.Call) -> bool:
    _, targets = source.starts(call)
    if targets:
        return all(one.effects & Effect.ASKS and not one.effects & MORE for one in targets)
    work = call.args[int(source.calls(call, IN_EXECUTOR)) :][:1]
    return bool(work) and any(source.knowledge.matches(CLIENTS, name) for name in source.names(_bound(work[0].value)))


def _bound(work: cst.BaseExpression) -> cst.BaseExpression:
    """`requests.get` for `partial(requests.get, timeout=5)`."""
    if isinstance(work, cst.Call) and path_of(work.func).rpartition(".")[2] == "partial" and work.args:
        return work.args[0].value
    return work


RULE = Rule(
    code="CON123",
    name="threads-that-only-wait",
    triggers=calls(*MAPS, *SINGLE, helpers=True),
    check=check,
    default=False,
    examples=(
        Bad("""
            import asyncio
            import requests
            from concurrent.futures import ThreadPoolExecutor

            def pages(urls):
                with ThreadPoolExecutor() as pool:
                    return list(pool.map(requests.get, urls))  # expect: CON123

            async def main(urls):
                return await asyncio.to_thread(pages, urls)
            """),
        Bad("""
            import asyncio
            from concurrent.futures import ThreadPoolExecutor
            from urllib.request import urlopen

            def size(url):
                with urlopen(url) as answer:
                    return answer.length

            def sizes(urls):
                with ThreadPoolExecutor() as pool:
                    futures = [pool.submit(size, url) for url in urls]  # expect: CON123
                    return [future.result() for future in futures]

            async def main(urls):
                return await asyncio.to_thread(sizes, urls)
            """),
        Bad("""
            import asyncio
            import httpx
            from multiprocessing.pool import ThreadPool

            class Client:
                def __init__(self):
                    self.pool = ThreadPool(4)

                def all(self, urls):
                    return self.pool.map(httpx.get, urls)  # expect: CON123

            async def main(client: Client, urls):
                return await asyncio.to_thread(client.all, urls)
            """),
        Good("""
            import requests
            from concurrent.futures import ThreadPoolExecutor

            def pages(urls):
                with ThreadPoolExecutor() as pool:
                    return list(pool.map(requests.get, urls))
            """),
        Good("""
            import asyncio
            from concurrent.futures import ThreadPoolExecutor
            from pathlib import Path

            def texts(paths):
                with ThreadPoolExecutor() as pool:
                    return list(pool.map(Path.read_text, paths))

            async def main(paths):
                return await asyncio.to_thread(texts, paths)
            """),
    ),
)
