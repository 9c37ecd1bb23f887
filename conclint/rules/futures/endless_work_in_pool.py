"""This work never ends, so the pool can never be shut down and the program never exits.

The end of a pool's `with` block, its `shutdown()` and the end of the interpreter all wait for what the workers do.
Work that runs `while True` without a way out keeps them waiting for ever: the program hangs at exit and has to be
killed. It also takes a worker from the pool for good.

Ask an event that somebody sets at the end, `while not stop.wait(1):`; or put a last item into the queue that ends the
loop. For a service that really lives as long as the process, a `threading.Thread(daemon=True)` says so.

Not reported: loops that something leaves (`break`, `return`, `raise`), and loops that read from what somebody can
close, which raises.

See https://docs.python.org/3/library/concurrent.futures.html#threadpoolexecutor
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.pools import SUBMITTED, Gives
from conclint.model import Finding
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source

# docs.python.org/3/library/asyncio-eventloop.html#asyncio.loop.shutdown_default_executor: asyncio.run waits
TO_THREAD, IN_EXECUTOR = "asyncio.to_thread", "asyncio.AbstractEventLoop.run_in_executor"
WORK = (*SUBMITTED, "concurrent.futures.Executor.map")


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.futures import given, targets
    from conclint.source.testcode import in_test

    for work in _in_loop(source):
        if not in_test(source, work):
            message = f"`{source.code(work.value)}` never ends, and neither the loop nor the program can end before it"
            yield Finding(source.place(work), f"{message}; let its loop ask an event, or end with a last item")
    for one in given(source):
        if one.gives not in (Gives.FUTURE, Gives.RESULTS) or one.work is None:
            continue
        found = targets(source, one)
        if found and all(target.endless for target in found) and not in_test(source, one.call):
            name = source.code(one.work.value)
            message = f"`{name}` never ends, and neither the pool nor the program can end before it"
            yield Finding(source.place(one.call), f"{message}; let its loop ask an event, or end with a last item")


def _in_loop(source: Source) -> Iterator[cst.Arg]:
    """What an event loop gives to its pool of threads, for which it waits at its end."""
    for call in source.all(cst.Call):
        place = 0 if source.calls(call, TO_THREAD) else 1 if source.calls(call, IN_EXECUTOR) else len(call.args)
        found = source.starts(call)[1] if place < len(call.args) else ()
        if found and all(target.endless for target in found):
            yield call.args[place]


RULE = Rule(
    code="CON813",
    name="endless-work-in-pool",
    triggers=calls(*WORK, TO_THREAD, IN_EXECUTOR),
    check=check,
    examples=(
        Bad("""
            import time
            from concurrent.futures import ThreadPoolExecutor

            def poll():
                print("polling")
                while True:
                    print("still there")
                    time.sleep(5)

            def run():
                with ThreadPoolExecutor() as pool:
                    future = pool.submit(poll)  # expect: CON813
                    print(future)
            """),
        Bad("""
            import queue
            from concurrent import futures

            class Sender:
                def __init__(self, send):
                    self.send = send
                    self.items = queue.Queue()
                    self.pool = futures.ThreadPoolExecutor(max_workers=1)
                    self.future = self.pool.submit(self._work)  # expect: CON813

                def _work(self):
                    while True:
                        item = self.items.get()
                        try:
                            self.send(item)
                        except OSError as error:
                            print(error)

                def close(self):
                    self.pool.shutdown()
            """),
        Bad("""
            import concurrent.futures as cf
            from functools import partial

            def watch(path):
                while 1:
                    if path.exists():
                        print(path)

            def watch_all(paths):
                with cf.ProcessPoolExecutor() as pool:
                    for path in paths:
                        print(pool.submit(partial(watch, path)))  # expect: CON813
                    print(list(pool.map(watch, paths)))  # expect: CON813
            """),
        Good("""
            import threading
            import time
            from concurrent.futures import ThreadPoolExecutor

            stop = threading.Event()

            def poll():
                while not stop.wait(5):
                    print("still there")

            def take(items):
                while True:
                    item = items.get()
                    if item is None:
                        break
                    print(item)

            def accept(server):
                while True:
                    connection, _ = server.accept()
                    connection.close()

            def numbers():
                while True:
                    yield 1

            def run(items, server):
                with ThreadPoolExecutor() as pool:
                    futures = [pool.submit(poll), pool.submit(take, items), pool.submit(accept, server)]
                    futures.append(pool.submit(numbers))
                    time.sleep(60)
                    stop.set()
                return futures
            """),
        Good("""
            import threading
            import time

            def poll():
                while True:
                    time.sleep(5)

            def run():
                threading.Thread(target=poll, daemon=True).start()
            """),
    ),
)
