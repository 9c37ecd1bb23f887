"""This object is changed although a worker was given it a moment ago, and may not have looked at it yet.

Handing an object to a thread, a pool or a queue copies nothing: the worker gets the same object, some time later.  When
the giver goes on to empty it or to fill in the next job, the worker finds that, a mixture of both, or nothing at all.
The pools and queues of processes do copy, but in a thread of their own, so that they are no better.

Make a new object for each worker, or hand over a copy: `queue.put(batch)` and then `batch = []`, not `batch.clear()`.

https://docs.python.org/3/library/queue.html and
https://docs.python.org/3/library/multiprocessing.html#multiprocessing.Queue

Reported: containers that are emptied after they were handed over; jobs and buffers that are made in front of a loop,
and filled and handed over in each round; values that are replaced in a job which was handed over already.

Not reported: a name that is bound to a new object; changes after `result()`, `join()` or the end of the pool; flags
and results that both sides mean to share; containers to which something is only added.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.knowledge.handing import HANDING
from conclint.model import Finding, Note
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.testcode import in_test

if TYPE_CHECKING:
    from conclint.source.source import Source


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.handed import HandingOver

    for one in HandingOver(source).all():
        if in_test(source, one.call):
            continue
        name, what = source.code(one.given), "emptied" if one.change.empties else "changed"
        note = Note(source.place(one.call), f"`{name}` is handed over here")
        yield Finding(
            source.place(one.change.node),
            f"`{name}` is {what} here although a worker was given it and may not have looked at it yet; give each "
            "worker an object of its own",
            notes=(note,),
        )


RULE = Rule(
    code="CON319",
    name="changed-after-handing-over",
    triggers=calls(*HANDING),
    check=check,
    examples=(
        Bad("""
            from concurrent.futures import ThreadPoolExecutor

            def main(pool: ThreadPoolExecutor, run):
                job = {"id": 1}
                pool.submit(run, job)
                job["id"] = 2  # expect: CON319
                pool.submit(run, job)
            """),
        Bad("""
            import queue

            class Writer:
                def __init__(self):
                    self.queue = queue.Queue()
                    self.batch = []

                def write(self, row):
                    self.batch.append(row)
                    if len(self.batch) >= 100:
                        self.queue.put(self.batch)
                        self.batch.clear()  # expect: CON319
            """),
        Bad("""
            import threading

            def fetch(request):
                print(request)

            def main(urls):
                request = {"method": "GET"}
                threads = []
                for number, url in enumerate(urls):
                    request["url"] = url  # expect: CON319
                    thread = threading.Thread(target=fetch, args=(number, request))
                    thread.start()
                    threads.append(thread)
                for thread in threads:
                    thread.join()
            """),
        Bad("""
            from multiprocessing import Queue

            class Task:
                def __init__(self):
                    self.name = ""

            def feed(names, tasks: Queue):
                task = Task()
                for name in names:
                    task.name = name  # expect: CON319
                    tasks.put(("run", task))
            """),
        Good("""
            import queue
            import threading

            class Writer:
                def __init__(self):
                    self.queue = queue.Queue()
                    self.batch = []
                    self.wake = threading.Event()

                def write(self, row):
                    self.batch.append(row)
                    if len(self.batch) >= 100:
                        self.queue.put(self.batch)
                        self.batch = []

                def flush(self):
                    self.queue.put(list(self.batch))
                    self.batch.clear()
                    self.queue.put((self.wake, 1))
                    self.wake.clear()
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            def main(pool: ThreadPoolExecutor, run, names):
                for name in names:
                    job = {"id": 0}
                    job["id"] = name
                    pool.submit(run, job)
                    pool.submit(run, dict(job))
                shared = {"id": 0}
                for name in names:
                    shared["id"] = name
                    pool.submit(run, shared).result()
                pool.submit(run, shared).result()
                shared["id"] = 3
            """),
        Good("""
            import threading
            from concurrent.futures import ThreadPoolExecutor

            def main(work, urls):
                state = {"running": True, "seen": 0}
                results = []
                thread = threading.Thread(target=work, args=(state, results))
                state["seen"] = 1  # before the start
                thread.start()
                state["running"] = False
                results.append(1)
                thread.join()
                results.clear()
                with ThreadPoolExecutor() as pool:
                    for url in urls:
                        pool.submit(work, url, results)
                results.clear()
            """),
        Good("""
            import asyncio
            import threading

            async def main(loop: asyncio.AbstractEventLoop, work, names):
                job = {"name": ""}
                for name in names:
                    job["name"] = name
                    await loop.run_in_executor(None, work, job)
                for name in names:
                    job = {"name": ""}
                    thread = threading.Thread(target=work, args=(job,))
                    job["name"] = name
                    thread.start()
            """),
    ),
)
