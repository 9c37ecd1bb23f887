"""A thread that joins itself gets a RuntimeError, and what was to be stopped is not.

`join()` in code that the very thread runs, by way of a `stop()` or `close()` that it calls itself, raises "cannot join
current thread". It surprises where the other way round works: called from main everything is fine.

Ask who is running: `if threading.current_thread() is not self._thread:`; or let the thread only set the flag that ends
its loop, and leave `join()` to others.

A thread that calls what somebody has handed in, `self._on_message(message)`, comes to its own `stop()` where that calls
it. Nobody sees in the class whether it does, so this is shown to those who select CON215.

Not reported: functions that ask for the current thread, code that expects the error, and joins that the
thread does not reach.

See https://docs.python.org/3/library/threading.html#threading.Thread.join
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.kinds import Context
from conclint.model import Finding, Note
from conclint.program.contexts import site_place
from conclint.program.evidence import Evidence
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.paths import path_of
from conclint.source.testcode import forgives

if TYPE_CHECKING:
    from conclint.program.scene import RunScene
    from conclint.source.source import Source

JOIN = "threading.Thread.join"
ASKS = frozenset({"current_thread", "currentThread", "get_ident", "get_native_id"})


def check(source: Source) -> Iterator[Finding]:
    for call in source.all(cst.Call):
        if not source.calls(call, JOIN) or not source.runs(call, Context.THREAD):
            continue
        run = _own_run(source, call)
        if run is None or _asks(source, call) or forgives(source, call, "RuntimeError"):
            continue
        text = source.code(call)
        message = f"`{text}` is reached by the thread itself, which cannot wait for itself: a RuntimeError"
        advice = "ask `threading.current_thread()` first, or leave joining to others"
        given = _is_given(source, call)
        yield Finding(source.place(call), f"{message}; {advice}", notes=run.trace, when_asked=given)


def _is_given(source: Source, call: cst.Call) -> bool:
    """Whether the function was handed the thread that it joins: by the thread itself it is most likely another one."""
    function, owner = source.function_node(call), path_of(call.func).rpartition(".")[0]
    params = function.params.params if isinstance(function, cst.FunctionDef) else ()
    return any(param.name.value == owner for param in params) and not source.is_receiver(call.func)


def conclude(evidence: Evidence) -> Iterator[Finding]:
    """Joins that the thread may reach by way of a callback."""
    for found in evidence.self_joins:
        name, called = found.join.function.name, found.calls.call.func
        message = f"the thread calls `{called}`; if that calls `{name}()`, it waits for itself: a RuntimeError"
        note = Note(site_place(found.calls), "what was handed in is called here")
        advice = "ask `threading.current_thread()` first"
        yield Finding(site_place(found.join), f"{message}; {advice}", (note,), when_asked=True)


def _own_run(source: Source, call: cst.Call) -> RunScene | None:
    """How the thread that is joined comes to run the join."""
    line, function = source.line(call), source.function(call)
    for fate in source.scene.fates:
        if ("join", source.path, line) not in fate.uses:
            continue
        for run in function.runs_in(Context.THREAD, line=line) if function is not None else ():
            begun = run.trace[0].place
            if begun.path == source.path and (begun.span.line, begun.span.column) == (fate.line, fate.column):
                return run
    return None


def _asks(source: Source, call: cst.Call) -> bool:
    from conclint.source.tree import below

    function = source.function_node(call)
    names = (path_of(node.func) for node in below(function) if isinstance(node, cst.Call)) if function else ()
    return any(name.rpartition(".")[2] in ASKS for name in names)


RULE = Rule(
    code="CON215",
    name="joins-itself",
    triggers=calls(JOIN, "threading.Thread"),
    check=check,
    conclude=conclude,
    examples=(
        Bad("""
            import threading

            class Poller:
                def __init__(self, poll):
                    self.poll = poll
                    self._stop = threading.Event()
                    self._thread = threading.Thread(target=self._run)
                    self._thread.start()

                def _run(self):
                    while not self._stop.wait(1):
                        if not self.poll():
                            self.stop()

                def stop(self):
                    self._stop.set()
                    self._thread.join()  # expect: CON215
            """),
        Bad("""
            from threading import Thread

            class Reader(Thread):
                def __init__(self, source):
                    super().__init__()
                    self.source = source
                    self.closed = False

                def run(self):
                    for line in self.source:
                        print(line)
                    self.close()

                def close(self):
                    self.closed = True
                    self.join()  # expect: CON215

            def read(source):
                reader = Reader(source)
                reader.start()
                return reader
            """),
        Bad("""
            import threading

            def begin(items):
                def work():
                    for item in items:
                        print(item)
                    finish()

                def finish():
                    worker.join()  # expect: CON215

                worker = threading.Thread(target=work)
                worker.start()
                return finish
            """),
        Good("""
            import threading

            class Poller:
                def __init__(self, poll):
                    self.poll = poll
                    self._stop = threading.Event()
                    self._thread = threading.Thread(target=self._run)
                    self._thread.start()

                def _run(self):
                    while not self._stop.wait(1):
                        if not self.poll():
                            self.stop()

                def stop(self):
                    self._stop.set()
                    if threading.current_thread() is not self._thread:
                        self._thread.join()
            """),
        Good("""
            import threading

            class Pair:
                def begin(self):
                    self.first = threading.Thread(target=self.one)
                    self.second = threading.Thread(target=self.two)
                    self.first.start()
                    self.second.start()

                def one(self):
                    print("one")

                def two(self):
                    self.first.join()
                    print("two")

                def end(self):
                    self.second.join()
            """),
    ),
)
