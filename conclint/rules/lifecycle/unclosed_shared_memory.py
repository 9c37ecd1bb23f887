"""Nobody closes this shared memory, or nobody removes it, and it outlives its use.

A block of shared memory is a file that the system keeps until somebody removes it. `close()` ends this process's
view; `unlink()`, once and by one process, gives the memory back. Without the first a long-lived process collects views,
without the second the block stays after the program, until the resource tracker complains of "leaked shared_memory
objects" or the machine is started again.

Put `close()` into a `finally`, and `unlink()` beside it in the process that made the block; or let a
`SharedMemoryManager` do both.

Not reported: blocks that somebody returns, passes on or ends anywhere in the program; and made blocks whose name is
handed out or given, since others may remove them.

See https://docs.python.org/3/library/multiprocessing.shared_memory.html
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

MEMORY = "multiprocessing.shared_memory.SharedMemory"


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.testcode import in_test

    for call in source.all(cst.Call):
        fate = source.fate(call) if source.calls(call, MEMORY) else None
        if fate is None or fate.escapes or not fate.stores or in_test(source, call):
            continue
        if any(store.sort == "global" or store.path.endswith("[]") for store in fate.stores):
            continue  # kept for the life of the process, or by whoever has the list
        if not fate.does("close", "unlink"):
            message = "nobody closes this shared memory, which stays mapped"
            more = " and is never removed" if _makes(source, call) else ""
            yield Finding(source.place(call), f"{message}{more}; `close()` it in a `finally`")
        elif _makes(source, call) and not fate.does("unlink") and _nameless(source, call):
            message = "nobody removes this shared memory, which outlives the program"
            yield Finding(source.place(call), f"{message}; `unlink()` it where it was made, after `close()`")


def _makes(source: Source, call: cst.Call) -> bool:
    """Whether it makes a block, rather than opens another's."""
    create = source.argument(call, "create", 1)
    return create is not None and source.code(create.value) == "True"


def _nameless(source: Source, call: cst.Call) -> bool:
    """Whether nobody else can come to know the block: it has no given name, and nobody asks for its own."""
    from conclint.source.variables import bound_to, reads

    given = source.argument(call, "name", 0)
    name = bound_to(source, call)
    if name is None or (given is not None and source.code(given.value) != "None"):
        return False
    outers = (source.parent(one) for one in reads(source, name))
    return all(isinstance(outer, cst.Attribute) and outer.attr.value not in ("name", "_name") for outer in outers)


RULE = Rule(
    code="CON220",
    name="unclosed-shared-memory",
    triggers=calls(MEMORY),
    check=check,
    examples=(
        Bad("""
            from multiprocessing.shared_memory import SharedMemory

            def fill(size):
                memory = SharedMemory(create=True, size=size)  # expect: CON220
                memory.buf[:5] = b"hello"
                return bytes(memory.buf[:5])
            """),
        Bad("""
            from multiprocessing import shared_memory

            class View:
                def __init__(self, name):
                    self._memory = shared_memory.SharedMemory(name=name)  # expect: CON220

                def first(self):
                    return self._memory.buf[0]
            """),
        Bad("""
            import multiprocessing.shared_memory as sm

            def scratch(size, work):
                block = sm.SharedMemory(None, True, size)  # expect: CON220
                try:
                    return work(block.buf)
                finally:
                    block.close()
            """),
        Good("""
            from multiprocessing import Process
            from multiprocessing.managers import SharedMemoryManager
            from multiprocessing.shared_memory import SharedMemory

            def fill(size):
                memory = SharedMemory(create=True, size=size)
                try:
                    memory.buf[:5] = b"hello"
                finally:
                    memory.close()
                    memory.unlink()

            def handed_out(size):
                memory = SharedMemory(create=True, size=size)
                name = memory.name
                memory.close()
                return name

            def opened(name):
                memory = SharedMemory(name)
                text = bytes(memory.buf[:5])
                memory.close()
                return text

            def managed(size):
                with SharedMemoryManager() as manager:
                    return bytes(manager.SharedMemory(size).buf[:5])

            def given(size, blocks):
                memory = SharedMemory(create=True, size=size)
                blocks.append(memory)
            """),
    ),
)
