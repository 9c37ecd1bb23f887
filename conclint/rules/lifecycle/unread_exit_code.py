"""Nobody looks at this process's exit code, so a crash in it looks like success.

An exception in a child is printed there and ends it with exit code 1; a signal ends it with a negative one. `join()`
returns all the same, and the parent goes on with a result that was never written.

Look at `exitcode` after the join, or use a `ProcessPoolExecutor`, which hands exceptions over.

https://docs.python.org/3/library/multiprocessing.html#multiprocessing.Process.exitcode

Not reported: processes that answer through a queue, a pipe or shared memory, or that are watched in another way, those
whose result is looked for (`os.path.exists`), that are passed on, daemons, services that are terminated, and tests.

This is advice, shown only where it is asked for: many jobs are done as well as they can be, and nobody minds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.lives import PROCESS
from conclint.knowledge.names import below
from conclint.model import Finding
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.makers import makers
from conclint.source.testcode import in_test
from conclint.source.tree import below as inside

if TYPE_CHECKING:
    from conclint.source.source import Source

WATCHED = ("exitcode", "sentinel", "is_alive", "terminate", "kill")

# Through these a child says how it went.
ANSWERS = ("Queue", "SimpleQueue", "JoinableQueue", "Connection", "Event", "Value", "Array", "Synchronized", "Proxy")

ASKED = frozenset({"get", "get_nowait", "recv", "recv_bytes", "poll", "wait", "is_set", "empty"})

PIPES = (
    *("multiprocessing.Pipe", "socket.socketpair", "os.pipe", "multiprocessing.Manager", "mmap.mmap"),
    *("multiprocessing.shared_memory.SharedMemory", "multiprocessing.shared_memory.ShareableList"),
)
# Who looks whether the result is there need not ask the process.
LOOKS = (*below("os.path", "exists isfile getsize"), *below("pathlib.Path", "exists is_file stat"), "os.stat")


def check(source: Source) -> Iterator[Finding]:
    for made in makers(source):
        fate = source.fate(made.call) if made.kind == PROCESS else None
        if fate is None or fate.escapes or fate.does(*WATCHED) or fate.daemon or not fate.joins or not fate.begun:
            continue
        if not in_test(source, made.call) and not _answers(source, made.call):
            what = "nobody looks at this process's exit code, so a crash in it looks like success"
            yield Finding(source.place(made.call), f"{what}; test `exitcode` after the join")


def _answers(source: Source, call: cst.Call) -> bool:
    """Whether it is given something to answer with, or its answer is looked for."""
    around = source.function_node(call)
    beside = [one for one in source.all(cst.Call) if source.function_node(one) is around]
    if any(source.calls(one, *PIPES, *LOOKS) or _asks(source, one) for one in beside):
        return True
    given = (part for arg in call.args for part in inside(arg.value) if isinstance(part, (cst.Name, cst.Attribute)))
    return any(name.endswith(ANSWERS) for part in given for name in source.types(part))


def _asks(source: Source, call: cst.Call) -> bool:
    func = call.func
    asks = isinstance(func, cst.Attribute) and func.attr.value in ASKED
    return asks and isinstance(func, cst.Attribute) and any(one.endswith(ANSWERS) for one in source.types(func.value))


RULE = Rule(
    code="CON207",
    name="unread-exit-code",
    triggers=calls(PROCESS),
    check=check,
    default=False,
    examples=(
        Bad("""
            import multiprocessing as mp

            def convert(page, out):
                process = mp.Process(target=page.write, args=(out,))  # expect: CON207
                process.start()
                process.join()
                with open(out) as file:
                    return file.read()
            """),
        Bad("""
            from multiprocessing import Process

            def convert_all(pages):
                processes = [Process(target=page.write) for page in pages]  # expect: CON207
                for process in processes:
                    process.start()
                for process in processes:
                    process.join()
            """),
        Bad("""
            import multiprocessing

            class Render(multiprocessing.Process):
                def run(self):
                    print("rendering")

            class Preview:
                def show(self):
                    self._render = Render()  # expect: CON207
                    self._render.start()
                    print("beside")
                    self._render.join()
            """),
        Good("""
            import multiprocessing as mp

            def convert(page, out):
                process = mp.Process(target=page.write, args=(out,))
                process.start()
                process.join()
                if process.exitcode:
                    raise RuntimeError(process.exitcode)
            """),
        Good("""
            import multiprocessing as mp

            def convert(page):
                answers = mp.Queue()
                process = mp.Process(target=page.write, args=(answers,))
                process.start()
                text = answers.get()
                process.join()
                return text
            """),
        Good("""
            from multiprocessing import Process

            def serve(server, wait):
                process = Process(target=server.run)
                process.start()
                wait()
                process.terminate()
                process.join()
            """),
    ),
)
