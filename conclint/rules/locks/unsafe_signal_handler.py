"""A signal handler interrupts the main thread anywhere, also inside what the handler itself is about to do.

Python runs the handler between two steps of the main thread.  If the main thread holds a lock just then, the handler
that wants the lock waits for ever: the thread that would give it back is the one that it has interrupted.  A
`queue.Queue` has such a lock inside.  And a buffered stream that is written to while it is being written to raises
RuntimeError, so `print` fails now and then.

Let the handler set a plain flag, write to a pipe with `os.write`, or put into a `queue.SimpleQueue`, whose `put` may be
interrupted; do the rest where the program looks at it.
See https://docs.python.org/3/library/signal.html#execution-of-python-signal-handlers and
https://docs.python.org/3/library/io.html#reentrancy

Not reported: locks that their holder may take again, handlers that end the program with their last words, and handlers
of an event loop (`loop.add_signal_handler`), which run between tasks.  Nor is logging: its own locks may be taken
again, so that it fails as seldom as the stream below it, and most programs take that risk; that of a `print` too, so
it is shown to those who select CON426.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Finding, Note
from conclint.program.contexts import site_place
from conclint.program.evidence import Evidence
from conclint.program.handlers import Danger, Handlers, Unsafe
from conclint.program.triggers import Triggers
from conclint.program.values import split_id
from conclint.rules.rule import Bad, Good, Rule

WORDS = {
    Danger.LOCK: "waits for ever if the main thread holds this lock just then; set a flag instead",
    Danger.QUEUE: "waits for ever if the main thread is inside the queue just then; use a SimpleQueue, or set a flag",
    Danger.PRINT: "fails if it comes in the middle of other output; set a flag, or use `os.write`",
}


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for unsafe in Handlers(evidence.program).unsafe():
        called = unsafe.at.call.func.removesuffix(".__enter__")
        yield Finding(
            site_place(unsafe.at),
            f"`{called}` in a signal handler {WORDS[unsafe.danger]}",
            notes=tuple(_notes(unsafe)),
            when_asked=unsafe.danger is Danger.PRINT,
        )


def _notes(unsafe: Unsafe) -> Iterator[Note]:
    name = split_id(unsafe.handler.function)[1]
    yield Note(unsafe.handler.place, f"`{name}` becomes a signal handler here")
    for step in unsafe.path:
        yield Note(site_place(step.site), f"it calls `{step.site.call.func}` here")


RULE = Rule(
    code="CON426",
    name="unsafe-signal-handler",
    triggers=Triggers(),
    conclude=conclude,
    examples=(
        Bad("""
            import signal
            import threading

            lock = threading.Lock()
            state = {}

            def on_term(number, frame):
                with lock:  # expect: CON426
                    state["stopped"] = True

            def work():
                with lock:
                    state["done"] = state.get("done", 0) + 1

            signal.signal(signal.SIGTERM, on_term)
            """),
        Bad("""
            import queue
            from signal import SIGHUP, SIGUSR1, signal

            class Server:
                def __init__(self):
                    self.events = queue.Queue()
                    signal(SIGHUP, self._reload)
                    signal(SIGUSR1, self._tell)

                def _reload(self, number, frame):
                    self.events.put("reload")  # expect: CON426

                def _tell(self, number, frame):
                    self._say("still there")

                def _say(self, text):
                    print(text)  # expect: CON426
            """),
        Bad("""
            import sys

            from celery import platforms

            def say(text, stream=sys.__stderr__):
                print(text, file=stream, flush=True)  # expect: CON426

            def install(worker):
                def handle(*args):
                    say("shutting down")
                    worker.stopped = True

                platforms.signals["TERM"] = handle
            """),
        Good("""
            import os
            import queue
            import signal

            stopped = False
            events = queue.SimpleQueue()

            def on_term(number, frame):
                global stopped
                stopped = True
                os.write(2, b"stopping")

            def on_hup(number, frame):
                events.put("reload")

            signal.signal(signal.SIGTERM, on_term)
            signal.signal(signal.SIGHUP, on_hup)
            """),
        Good("""
            import signal
            import sys

            def on_int(number, frame):
                print("bye")
                sys.exit(1)

            signal.signal(signal.SIGINT, on_int)
            """),
        Good("""
            import asyncio
            import logging
            import signal

            async def main():
                stop = asyncio.Event()

                def on_term():
                    logging.info("stopping")
                    stop.set()

                asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, on_term)
                await stop.wait()
            """),
        Good("""
            import signal
            import threading

            lock = threading.RLock()  # the main thread may take it again

            def on_term(number, frame):
                with lock:
                    tell()

            def tell():
                with lock:
                    pass

            signal.signal(signal.SIGTERM, on_term)
            """),
        Good("""
            import io
            import signal

            log = io.StringIO()

            def on_usr1(number, frame):
                print("told", file=log)

            signal.signal(signal.SIGUSR1, on_usr1)
            """),
    ),
)
