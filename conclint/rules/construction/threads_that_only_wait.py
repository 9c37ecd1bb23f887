"""These threads only wait for servers: in a program with an event loop coroutines do that with less machinery.

Each thread costs a stack and a place in the pool, and waits. Coroutines wait by the thousand in one thread, and share
state without locks between two `await`s.

Use an asynchronous client (`httpx.AsyncClient`, `aiohttp`) and `asyncio.gather`, with a semaphore as the bound.

https://docs.python.org/3/library/asyncio-task.html#running-tasks-concurrently

Not reported: work on files, which has no asynchronous client, functions that compute as well, and programs that use
no asyncio in the same file.

This is advice, shown only where it is asked for: a library that is called from synchronous code is right to use
threads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.model import Finding
from conclint.program.effects import Effect
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.testcode import in_test

if TYPE_CHECKING:
    from conclint.source.source import Source

EXECUTORS = tuple(f"concurrent.futures.{kind}" for kind in ("Executor", "ThreadPoolExecutor"))
POOL = "multiprocessing.pool.ThreadPool"
GIVES = (*(f"{one}.map" for one in EXECUTORS), *(f"{one}.submit" for one in EXECUTORS), f"{POOL}.map")
PROCESSES = "concurrent.futures.ProcessPoolExecutor"

# What has an asynchronous twin.
CLIENTS = ("requests.", "httpx.", "urllib.request.", "urllib3.", "http.client.")
CALLED = re.compile(r"`(requests|httpx|urlopen|urllib|urllib3)\b|`\w*session\.(get|post|put|request)`")

COMPUTES = Effect.BUSY | Effect.RELEASES | Effect.UNKNOWN


def check(source: Source) -> Iterator[Finding]:
    if not any(line.startswith(("import asyncio", "from asyncio")) for line in source.text.lines):
        return
    for call in source.all(cst.Call):
        if not source.calls(call, *GIVES) or source.calls(call, f"{PROCESSES}.map", f"{PROCESSES}.submit"):
            continue
        if call.args and not in_test(source, call) and _only_asks_servers(source, call, call.args[0].value):
            what = "these threads only wait for servers, and the program has an event loop"
            yield Finding(source.place(call), f"{what}; an asynchronous client and `asyncio.gather` do the same")


def _only_asks_servers(source: Source, call: cst.Call, work: cst.BaseExpression) -> bool:
    _, targets = source.starts(call)
    if not targets:
        return any(name.startswith(CLIENTS) for name in source.names(work))
    return all(
        not one.effects & COMPUTES and any(CALLED.search(note.message) for note in one.trace(Effect.IO))
        for one in targets
    )


RULE = Rule(
    code="CON123",
    name="threads-that-only-wait",
    triggers=calls(*GIVES),
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
