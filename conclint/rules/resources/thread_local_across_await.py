"""A `threading.local` that a coroutine sets is seen by every task of its thread.

All tasks of an event loop run in one thread, so they have one `threading.local` between them.  What a coroutine puts
there before an `await` (the user, a transaction, a request's id) may be another task's when it goes on.  A
`contextvars.ContextVar` has a value for each task.

Not reported: values that are kept for the thread and made where they are missing (connections, caches), values that are
only read, and what is set and used with no `await` in between.

https://docs.python.org/3/library/contextvars.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.model import Finding, Note
from conclint.program.triggers import Triggers
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.thread_locals import across_await

    for write, wait, use in across_await(source):
        yield Finding(
            source.place(write),
            f"`{source.code(write)}` is the same for all tasks of the thread, and others run before it is used again; "
            "use a `contextvars.ContextVar`",
            notes=(
                Note(source.place(wait), "other tasks run here"),
                Note(source.place(use), "and then it is used"),
            ),
        )


RULE = Rule(
    code="CON515",
    name="thread-local-across-await",
    triggers=Triggers(thread_locals=True),
    check=check,
    examples=(
        Bad("""
            import threading

            _state = threading.local()

            async def handler(request):
                _state.user = request.user  # expect: CON515
                await database()
                return _state.user
            """),
        Bad("""
            from threading import local

            class Current(local):
                request = None

            current = Current()

            class Middleware:
                async def dispatch(self, request, follow):
                    current.request = request  # expect: CON515
                    try:
                        return await follow(request)
                    finally:
                        current.request = None
            """),
        Bad("""
            import threading

            class Tracer:
                def __init__(self):
                    self._active = threading.local()

                async def trace(self, name, lines):
                    before = self._active.span
                    self._active.span = span = Span(name)  # expect: CON515
                    async for line in lines:
                        span.add(line)
                    self._active.span.end()
                    self._active.span = before
            """),
        Good("""
            import contextvars
            import threading

            _user = contextvars.ContextVar("user")
            _state = threading.local()

            async def handler(request):
                _user.set(request.user)
                await database()
                return _user.get()

            async def at_once(request):
                _state.user = request.user
                answer = render(_state.user)
                await send(answer)

            async def reading():
                await database()
                return _state.user

            def plain(request):
                _state.user = request.user
                work()
                return _state.user
            """),
        Good("""
            import threading

            _local = threading.local()

            async def query(sql):
                if not hasattr(_local, "connection"):
                    _local.connection = connect()  # kept for the thread
                await ready()
                return _local.connection.execute(sql)

            async def other(sql):
                try:
                    connection = _local.connection
                except AttributeError:
                    connection = _local.connection = connect()
                await ready()
                return _local.connection

            async def third(sql):
                if getattr(_local, "cache", None) is None:
                    _local.cache = {}
                await ready()
                return _local.cache[sql]
            """),
    ),
)
