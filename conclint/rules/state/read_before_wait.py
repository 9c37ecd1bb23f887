"""A coroutine changes shared state after an `await` by what it saw before: what other tasks did meanwhile is lost.

Tasks of one event loop take turns only where they wait.  `self.total += await price(item)` reads `self.total` first,
waits, and then writes a sum that lacks whatever other tasks have added in between.  `if self._client is None:
self._client = await connect()` lets every task that comes while the first one connects make a client of its own.

Wait first and then act in one step: `price = await price(item)`, then `self.total += price`.  Where the look, the wait
and the act belong together, hold an `asyncio.Lock` around them, or keep the task that makes the thing and let everybody
await that.

https://docs.python.org/3/library/asyncio-sync.html#asyncio.Lock

Reported where several tasks are known to run the coroutine on the same object: coroutines that a loop or `gather`
starts, handlers of servers and bots, and what these await.  And where another coroutine changes the same attribute
under the object's own `asyncio.Lock`: its author means several tasks to come.

Not reported: state of the task's own; a second look after the wait; whatever happens under a lock, the callers' too;
a wait that is over before the look; state that is saved and put back.  Values that are computed twice, and no more
than that, globals of which nobody knows how many tasks come to them, and items of which each task may have its own are
shown only where this rule is asked for by name.

The fix awaits first and adds afterwards; it changes when the old value is read, which is the point.

This rule has to be asked for: of an object that several tasks can have (a pipeline, a session) only its contract says
whether they may use it at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.model import Finding, Fix
from conclint.program.evidence import Evidence
from conclint.program.interleaved import Interleaved
from conclint.program.observations import Act
from conclint.program.triggers import shared_by_tasks
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for one in evidence.interleaved:
        yield Finding(one.straddle.access.place, _message(one), notes=one.notes, when_asked=one.weak)


def _message(one: Interleaved) -> str:
    access = one.straddle.access
    if access.act is Act.UPDATE:
        return (
            f"`{access.text}` is read before an `await` and written after it: what other tasks change meanwhile is "
            "lost; await first, then update it in one step"
        )
    outcome = "make another one" if access.act is Act.LAZY_INIT else "pass the same test"
    return (
        f"`{access.text}` is tested before an `await` and set after it: meanwhile other tasks {outcome}; hold one "
        "`asyncio.Lock` around both"
    )


def mend(source: Source, finding: Finding) -> Fix | None:
    from conclint.source.waitfirst import wait_first

    return wait_first(source, finding.place.span)


RULE = Rule(
    code="CON323",
    name="read-before-wait",
    triggers=shared_by_tasks(),
    default=False,
    conclude=conclude,
    mend=mend,
    examples=(
        Bad(
            """
            import asyncio


            class Cart:
                def __init__(self):
                    self.total = 0

                async def add(self, item):
                    self.total += await self.price(item)  # expect: CON323

                async def price(self, item):
                    await asyncio.sleep(0.1)
                    return len(item)

                async def fill(self, items):
                    await asyncio.gather(*[self.add(item) for item in items])
            """,
            fixed="""
            import asyncio


            class Cart:
                def __init__(self):
                    self.total = 0

                async def add(self, item):
                    value = await self.price(item)
                    self.total += value  # expect: CON323

                async def price(self, item):
                    await asyncio.sleep(0.1)
                    return len(item)

                async def fill(self, items):
                    await asyncio.gather(*[self.add(item) for item in items])
            """,
        ),
        Bad("""
            import asyncio

            accounts = {}


            async def audit():
                await asyncio.sleep(0)


            async def withdraw(name, amount):
                balance = accounts["all"]
                await audit()
                accounts["all"] = balance - amount  # expect: CON323


            async def main(names):
                async with asyncio.TaskGroup() as group:
                    for name in names:
                        group.create_task(withdraw(name, 10))
            """),
        Bad("""
            import aiohttp
            from aiohttp import web

            routes = web.RouteTableDef()
            session = None


            @routes.get("/")
            async def proxy(request):
                global session
                if session is None:  # expect: CON323
                    session = await open_session()
                async with session.get("https://example.org") as response:
                    return web.Response(text=await response.text())


            async def open_session():
                return await aiohttp.ClientSession().__aenter__()
            """),
        Bad("""
            import asyncio


            class Crawler:
                def __init__(self):
                    self.running = 0
                    self.started = False
                    self.tasks = set()

                async def visit(self, url):
                    await self.start()
                    if self.running < 10:  # expect: CON323
                        await self.log(url)
                        self.running += 1

                async def start(self):
                    if self.started:  # expect: CON323
                        return
                    await self.log("start")
                    self.started = True

                async def log(self, text):
                    await asyncio.sleep(0)

                async def crawl(self, urls):
                    for url in urls:
                        task = asyncio.create_task(self.visit(url))
                        self.tasks.add(task)
                        task.add_done_callback(self.tasks.discard)
            """),
        Bad("""
            import asyncio


            class Account:
                def __init__(self):
                    self._lock = asyncio.Lock()
                    self.token = None

                async def renew(self):
                    async with self._lock:
                        self.token = await self.login()

                async def get(self):
                    if self.token is None:  # expect: CON323
                        self.token = await self.login()
                    return self.token

                async def login(self):
                    return await asyncio.open_connection("localhost", 80)
            """),
        Good("""
            import asyncio


            class Cart:
                def __init__(self):
                    self.total = 0
                    self.lock = asyncio.Lock()
                    self.sum = 0

                async def add(self, item):
                    price = await self.price(item)
                    self.total += price
                    async with self.lock:
                        await self.add_up(item)

                async def add_up(self, item):
                    self.sum += await self.price(item)  # under the lock of its caller

                async def price(self, item):
                    await asyncio.sleep(0.1)
                    return len(item)

                async def fill(self, items):
                    await asyncio.gather(*[self.add(item) for item in items])
            """),
        Good("""
            import asyncio


            class Client:
                def __init__(self):
                    self.bytes = 0
                    self.link = None

                async def read(self, stream):
                    self.bytes += await stream.read()
                    if self.link is None:
                        self.link = await asyncio.open_connection("localhost", 80)


            async def one(stream):
                client = Client()  # each task has its own
                await client.read(stream)


            async def main(streams):
                await asyncio.gather(*[one(stream) for stream in streams])
                only = Client()
                for stream in streams:
                    await only.read(stream)  # one after the other
            """),
        Good("""
            import asyncio


            class Pool:
                def __init__(self):
                    self.client = None
                    self.level = 0

                async def get(self, name):
                    client = self.client
                    if client is None:
                        client = await self.connect()
                        if self.client is None:  # somebody else may have been faster
                            self.client = client
                    before, self.level = self.level, 3
                    await self.connect()
                    self.level = before
                    return client

                async def connect(self):
                    return await asyncio.open_connection("localhost", 80)


            async def main(names):
                pool = Pool()
                await asyncio.gather(*(pool.get(name) for name in names))
            """),
    ),
)
