"""This attribute of a `threading.local` is set at import, and only for the thread that imports.

Every thread sees a `threading.local` of its own, empty at first. What the module sets at import, the importing thread
has, mostly the main thread; in all others reading it raises AttributeError. Tests, which run in the main thread, pass.
What a constructor sets in a local of the object has only the thread that made the object.

Set it where it is used: `cache = _local.__dict__.setdefault("cache", {})`; or derive from `threading.local`, whose
`__init__` runs once in each thread.

The same happens to what the program sets in main before it starts its threads.

Not reported: attributes that some function sets as well, or that are asked for with `hasattr` or `getattr`; and
subclasses. Where methods do so with a local of their object, it is shown to those who select CON216.

See https://docs.python.org/3/library/threading.html#thread-local-data
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.model import Finding, Note, Place, Span
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.program.evidence import Evidence

LOCAL = "threading.local"


WHOSE = {
    "module": "for the importing thread only",
    "maker": "only for the thread that makes the object",
    "main": "for the main thread only",
}


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for one in evidence.program.locals.of_one_thread():
        message = f"`{one.attribute}` is set here {WHOSE[one.by]}, and other threads get an AttributeError"
        where = "read here, in another thread" if one.by == "main" else "read here, in whatever thread"
        place = Place(one.path, Span(one.line, 1, one.line, 1 + len(one.attribute)))
        told = f"{message}; set it where it is used"
        yield Finding(place, told, (Note(one.read, where),), when_asked=not one.sure)


RULE = Rule(
    code="CON216",
    name="local-of-one-thread",
    triggers=calls(LOCAL),
    conclude=conclude,
    examples=(
        Bad("""
            import threading

            _local = threading.local()
            _local.cache = {}  # expect: CON216

            def get(key):
                return _local.cache.get(key)
            """),
        Bad("""
            from threading import local as per_thread

            STATE = per_thread()
            STATE.depth = 0  # expect: CON216
            STATE.names = []

            class Nested:
                def __enter__(self):
                    STATE.depth += 1
                    STATE.names = ["new"]

                def __exit__(self, *error):
                    STATE.depth -= 1
            """),
        Bad("""
            import threading as t

            context = t.local()
            context.user = None  # expect: CON216

            def name():
                return "" if context.user is None else context.user.name
            """),
        Bad("""
            import threading

            class Tracer:
                def __init__(self, stream):
                    self._stream = stream
                    self._own = threading.local()
                    self._own.depth = 0  # expect: CON216

                def enter(self, name):
                    self._stream.write(" " * self._own.depth + name)
                    self._own.depth += 1
            """),
        Good("""
            import threading

            class Stack:
                def __init__(self):
                    self._own = threading.local()
                    self._own.items = []

                def push(self, item):
                    self._own.items = [*self.items(), item]

                def items(self):
                    return getattr(self._own, "items", [])
            """),
        Good("""
            import threading

            class Local(threading.local):
                def __init__(self):
                    self.cache = {}

            _local = Local()
            _local.size = 0
            _plain = threading.local()
            _plain.cache = {}
            _plain.user = None
            _plain.depth = 0
            _plain.size = 0

            def get(key):
                if not hasattr(_plain, "cache"):
                    return None
                return _plain.cache.get(key), _local.size

            def size():
                try:
                    return _plain.size
                except AttributeError:
                    return 0

            def login(user):
                _plain.user = user

            def name():
                return _plain.user.name, getattr(_plain, "depth", 0)
            """),
    ),
)
