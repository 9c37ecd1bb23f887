"""A thread started through `_thread` cannot be joined, named or found again.

`_thread.start_new_thread` gives a bare number.  Nobody can wait for the thread: when the main thread ends, it is cut
off in the middle of its work, and an exception in it only leaves a line on standard error.  `threading` does not know
it until it asks, so tools that list threads do not show it.  The Python FAQ says: use `threading`, not `_thread`.

Use `threading.Thread(target=f, args=(x,))`, keep it and join it; or give the work to an executor.

Not reported: the rest of `_thread`, code that replaces `start_new_thread` for the whole process (as gevent does),
tests of it, methods that only have that name.  A function that does nothing but start what it is given is shown to
those who select CON102.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.model import Finding
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.testcode import in_test

if TYPE_CHECKING:
    from conclint.source.source import Source

START = "_thread.start_new_thread"


def check(source: Source) -> Iterator[Finding]:
    for call in source.all(cst.Call):
        if source.calls(call, START) and not source.names(call.func)[1:] and not in_test(source, call):
            started = source.code(call.func)
            yield Finding(
                source.place(call),
                f"the thread that `{started}` starts cannot be joined; start a `threading.Thread` and join it",
                when_asked=_passes_on(source, call),
            )


def _passes_on(source: Source, call: cst.Call) -> bool:
    """Whether it is all that a function does, to which callers give what is to run: they have no handle either."""
    function = source.function_node(call)
    if not isinstance(function, cst.FunctionDef) or not call.args or not isinstance(call.args[0].value, cst.Name):
        return False
    given = call.args[0].value.value in {param.name.value for param in function.params.params}
    return given and len(list(source.inside(function.body, cst.Call))) == 1


RULE = Rule(
    code="CON102",
    name="low-level-thread-start",
    triggers=calls(START),
    check=check,
    examples=(
        Bad("""
            import _thread

            def serve(connection):
                connection.sendall(b"hello")
                connection.close()

            def accept(server):
                connection, _ = server.accept()
                _thread.start_new_thread(serve, (connection,))  # expect: CON102
            """),
        Bad("""
            from _thread import start_new_thread

            class Watcher:
                def begin(self):
                    start_new_thread(self.watch, ())  # expect: CON102

                def watch(self):
                    pass
            """),
        Good("""
            import threading

            def serve(connection):
                connection.sendall(b"hello")
                connection.close()

            def accept(server):
                connection, _ = server.accept()
                thread = threading.Thread(target=serve, args=(connection,))
                thread.start()
                return thread
            """),
        Good("""
            import _thread

            def here():
                return _thread.get_ident()
            """),
        Good("""
            class Runtime:
                def start_new_thread(self, function):
                    function()

                def run(self, function):
                    self.start_new_thread(function)
            """),
    ),
)
