"""A `threading.local` made in a function belongs to one call, and so to one thread: it separates nothing.

A thread-local object keeps a value per thread, for all threads that share the object. Made anew in each call, nobody
shares it: what the last call stored is gone, and every call makes and collects another one. A plain variable does the
same for less; what was meant is mostly one object for the whole module.

Make it once, in the module or in the object that the threads share: `_local = threading.local()`.

Not reported: locals that are returned, passed on, kept on an object, or seen by a nested function; and subclasses,
which may be made for more than that.

See https://docs.python.org/3/library/threading.html#thread-local-data
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.model import Finding
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source

LOCAL = "threading.local"


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.testcode import in_test
    from conclint.source.variables import bound_to, reads

    for call in source.all(cst.Call):
        if not source.calls(call, LOCAL) or source.function_node(call) is None or in_test(source, call):
            continue
        plain = not any(":" in one for one in source.names(call.func))
        name = bound_to(source, call) if plain else None
        if name is not None and name.value != "_" and _is_own(source, name, reads(source, name)):
            message = f"`{name.value}` is made anew in each call, so no two threads ever share it"
            yield Finding(source.place(call), f"{message}; make it once, in the module, or use a plain variable")


def _is_own(source: Source, name: cst.Name, uses: list[cst.Name]) -> bool:
    """Whether only attributes of it are used, by the function that makes it."""
    function = source.function_node(name)
    own = all(source.function_node(one) is function and _is_looked_into(source, one) for one in uses)
    return own and any(isinstance(source.parent(one), cst.Attribute) for one in uses)


def _is_looked_into(source: Source, use: cst.Name) -> bool:
    """`local.value`, `getattr(local, "value", None)`"""
    from conclint.source.thread_locals import ASKING

    outer = source.parent(use)
    if isinstance(outer, cst.Attribute):
        return outer.value is use
    call = source.parent(outer) if isinstance(outer, cst.Arg) else None
    return isinstance(call, cst.Call) and call.args[0] is outer and source.calls(call, *ASKING)


RULE = Rule(
    code="CON217",
    name="local-in-function",
    triggers=calls(LOCAL),
    check=check,
    examples=(
        Bad("""
            import threading

            def connect(address):
                local = threading.local()  # expect: CON217
                local.connection = open(address)
                return local.connection
            """),
        Bad("""
            from threading import local

            class Client:
                def session(self):
                    state = local()  # expect: CON217
                    if not hasattr(self, "made"):
                        state.session = object()
                    return state.session
            """),
        Bad("""
            import threading as t

            def count(items):
                data: t.local = t.local()  # expect: CON217
                data.number = 0
                for _ in items:
                    data.number += 1
                return data.number
            """),
        Good("""
            import threading

            _local = threading.local()

            class Connection(threading.local):
                def __init__(self, address):
                    self.address = address

                def get(self):
                    return open(self.address)

            def get(address):
                connection = Connection(address)
                return connection.address

            class Client:
                def __init__(self):
                    self._state = threading.local()

                def session(self):
                    self._state.session = object()
                    return self._state.session

            def connect(address):
                _local.connection = open(address)
                return _local.connection

            def make():
                made = threading.local()
                made.depth = 0
                return made

            def counter():
                own = threading.local()

                def count():
                    own.number = getattr(own, "number", 0) + 1
                    return own.number

                own.number = 0
                return count
            """),
    ),
)
