"""A context variable that was set before a thread starts has its default in the thread.

Each thread begins with an empty context: what the caller has set in a `ContextVar`, the id of a request, the user, the
current transaction, is not there, and `get()` returns the default or raises LookupError.  Pools are worse: their
threads keep what an earlier job has left.  Run the function in a copy of the caller's context,
`pool.submit(contextvars.copy_context().run, function, ...)`, or pass the value as an argument.  `asyncio.to_thread`
carries the context over; `loop.run_in_executor` does not.

Not reported: functions that set the variable themselves in the thread or catch the LookupError of one that is not set,
what runs in a `copy_context()`, what `asyncio.to_thread` and its like run, and new threads of free-threaded programs
for Python 3.14 and later, which inherit the context.

https://docs.python.org/3/library/contextvars.html#contextvars.copy_context
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.model import Finding, Fix
from conclint.program.contexts import site_place
from conclint.program.evidence import Evidence
from conclint.program.triggers import Triggers
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source

SUBMITTING = (
    "concurrent.futures.Executor.submit",
    "concurrent.futures.ThreadPoolExecutor.submit",
    "asyncio.AbstractEventLoop.run_in_executor",
)


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for lost in evidence.lost_variables:
        yield Finding(
            site_place(lost.root.site),
            f"`{lost.variable}` is set for the caller only, and the thread reads it; run the function in "
            "`contextvars.copy_context()`, or pass the value",
            notes=lost.notes,
        )


def mend(source: Source, finding: Finding) -> Fix | None:
    from conclint.source.carrying import in_copied_context

    return in_copied_context(source, finding.place.span)


RULE = Rule(
    code="CON514",
    name="context-variable-not-carried",
    triggers=Triggers(needs="contextvars", calls=frozenset(SUBMITTING)),
    conclude=conclude,
    mend=mend,
    examples=(
        Bad(
            """
            import contextvars
            from concurrent.futures import ThreadPoolExecutor

            request_id = contextvars.ContextVar("request_id", default="-")
            pool = ThreadPoolExecutor()

            def work(item):
                log(request_id.get(), item)

            def handle(request):
                request_id.set(request.id)
                pool.submit(work, request.item)  # expect: CON514
            """,
            fixed="""
            import contextvars
            from concurrent.futures import ThreadPoolExecutor

            request_id = contextvars.ContextVar("request_id", default="-")
            pool = ThreadPoolExecutor()

            def work(item):
                log(request_id.get(), item)

            def handle(request):
                request_id.set(request.id)
                pool.submit(contextvars.copy_context().run, work, request.item)  # expect: CON514
            """,
        ),
        Bad(
            """
            import asyncio
            from contextvars import ContextVar, copy_context

            user = ContextVar("user")

            def load(path):
                return read(path, owner())

            def owner():
                return user.get()

            async def handle(request):
                user.set(request.user)
                return await serve(request)

            async def serve(request):
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(None, load, request.path)  # expect: CON514
            """,
            fixed="""
            import asyncio
            from contextvars import ContextVar, copy_context

            user = ContextVar("user")

            def load(path):
                return read(path, owner())

            def owner():
                return user.get()

            async def handle(request):
                user.set(request.user)
                return await serve(request)

            async def serve(request):
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(None, copy_context().run, load, request.path)  # expect: CON514
            """,
        ),
        Bad("""
            import threading
            from contextvars import ContextVar

            depth = ContextVar("depth")

            class Walker:
                def walk(self):
                    if depth.get() > 3:
                        raise RecursionError

                def start(self):
                    token = depth.set(1)
                    threading.Thread(target=self.walk).start()  # expect: CON514
                    depth.reset(token)
            """),
        Good("""
            import asyncio
            import contextvars
            import threading
            from concurrent.futures import ThreadPoolExecutor

            request_id = contextvars.ContextVar("request_id")
            pool = ThreadPoolExecutor()

            def work(item):
                log(request_id.get(), item)

            def given(item, id):
                request_id.set(id)
                work(item)

            async def handle(request):
                request_id.set(request.id)
                pool.submit(contextvars.copy_context().run, work, request.item)
                pool.submit(given, request.item, request.id)
                await asyncio.to_thread(work, request.item)
                context = contextvars.copy_context()
                threading.Thread(target=context.run, args=(work, request.item)).start()
            """),
        Good("""
            import threading
            from contextvars import ContextVar

            header = ContextVar("header")
            last_header = {}

            def current():
                try:
                    return header.get()
                except LookupError:  # as in any new thread
                    return last_header

            def start(value):
                header.set(value)
                threading.Thread(target=current).start()
            """),
        Good("""
            import threading
            from contextvars import ContextVar

            verbose = ContextVar("verbose", default=False)

            def work():
                if verbose.get():
                    report()

            def start():
                threading.Thread(target=work).start()  # nobody has set anything yet
                verbose.set(True)
            """),
    ),
)
