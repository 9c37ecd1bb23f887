"""Nobody waits for this process: it becomes a zombie, and its exit code is never seen.

A child that ended stays in the system's table until its parent asks for it. Until then a crash in it looks like
success, and a program that starts many fills the table.  A loop that gives one name to all its processes, with one
`join()` behind it, waits for the last of them.

`join()` the process and look at `exitcode`, or leave both to an executor.

Not reported: processes that somebody joins, watches (`exitcode`, `sentinel`, `is_alive()`) or terminates anywhere
in the program, `multiprocessing.active_children()`, functions that end the program behind the start, and handles that
the program returns, passes on or keeps where others can reach them.  Daemonic processes, which the interpreter itself
ends, are shown to those who select CON206.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.model import Finding
from conclint.program.left import kept, left_running
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.lastone import last_one_only
from conclint.source.leaving import EXITS
from conclint.source.paths import path_of

if TYPE_CHECKING:
    from conclint.source.source import Source

PROCESS = "multiprocessing.Process"
ALL_BUT_ONE = "nobody waits for any of these processes but the last one; keep them all in a list, and `join()` each"


def check(source: Source) -> Iterator[Finding]:
    for call in source.all(cst.Call):
        if not source.calls(call, PROCESS):
            continue
        fate = source.fate(call)
        if fate is None:
            continue
        if left_running(fate) and not _ends_program(source, call):
            message = f"nobody waits for this process, and nobody sees its exit code{kept(fate)}"
            # The interpreter ends daemonic ones before its own end, and waits for them.
            daemon = fate.daemon is True
            yield Finding(source.place(call), f"{message}; `join()` it and look at `exitcode`", when_asked=daemon)
        elif last := last_one_only(source, call, fate):
            yield Finding(source.place(call), ALL_BUT_ONE, (last,))


def _ends_program(source: Source, call: cst.Call) -> bool:
    """Whether the function ends the program behind it: the interpreter waits for the process, or is meant not to."""
    around = source.function_node(call)
    return any(
        source.function_node(one) is around and source.sequence(one) > source.sequence(call)
        for one in source.all(cst.Call)
        if path_of(one.func) in EXITS
    )


RULE = Rule(
    code="CON206",
    name="unjoined-process",
    triggers=calls(PROCESS),
    check=check,
    examples=(
        Bad("""
            import multiprocessing

            def render(frame):
                print(frame)

            def preview(frame):
                process = multiprocessing.Process(target=render, args=(frame,))  # expect: CON206
                process.start()
            """),
        Bad("""
            import multiprocessing as mp

            def render(frame):
                print(frame)

            def preview(frames):
                for frame in frames:
                    mp.get_context("spawn").Process(target=render, args=(frame,)).start()  # expect: CON206
            """),
        Bad("""
            import multiprocessing

            def render(queue):
                print(queue.get())

            def preview(frames):
                queue = multiprocessing.Queue()
                for frame in frames:
                    process = multiprocessing.Process(target=render, args=(queue,))  # expect: CON206
                    process.start()
                    queue.put(frame)
                process.join()
            """),
        Good("""
            import multiprocessing
            import time

            def render(port):
                print(port)

            def preview(ports):
                for port in ports:
                    process = multiprocessing.Process(target=render, args=(port,))
                    process.start()
                    time.sleep(1)
                    if process.is_alive():
                        break
                process.join()
            """),
        Good("""
            import multiprocessing

            def render(frame):
                print(frame)

            def preview(frame):
                process = multiprocessing.Process(target=render, args=(frame,))
                process.start()
                process.join()
                if process.exitcode:
                    raise RuntimeError(process.exitcode)
            """),
        Good("""
            import multiprocessing

            class Supervisor:
                def __init__(self):
                    self._children = {}

                def begin(self, name, job):
                    self._children[name] = multiprocessing.Process(target=job)
                    self._children[name].start()

                def end(self):
                    while self._children:
                        _, child = self._children.popitem()
                        child.terminate()
                        child.join()
            """),
        Good("""
            import multiprocessing

            def render(frame):
                print(frame)

            def preview(frames, started):
                for frame in frames:
                    process = multiprocessing.Process(target=render, args=(frame,))
                    process.start()
                    started.append(process)
                return started
            """),
    ),
)
