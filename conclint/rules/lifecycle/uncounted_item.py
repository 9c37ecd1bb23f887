"""Without `task_done()` for each item the queue's `join()` waits for ever.

`join()` counts: every `put()` adds one, every `task_done()` takes one away, and it comes back at zero. When the work
between `get()` and `task_done()` raises, or goes on to the next item, that one is never taken away. The worker may even
survive the error; whoever waits in `join()` does not.

Put the work into a `try`, and `task_done()` into its `finally`.

Not reported: queues for which nobody waits with `join()`; work that catches every exception itself; and `task_done()`
called straight after `get()`.

See https://docs.python.org/3/library/queue.html#queue.Queue.join
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.names import below as members_of
from conclint.model import Edit, Finding, Fix, Note, Safety
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.paths import path_of

if TYPE_CHECKING:
    from conclint.source.counted import Taken
    from conclint.source.source import Source

QUEUES = ("queue.Queue", "multiprocessing.JoinableQueue", "asyncio.Queue")
DONE, JOIN = (tuple(name for owner in QUEUES for name in members_of(owner, method)) for method in ("task_done", "join"))


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.counted import taken

    joined = {store for store, _ in source.scene.joined}
    uncounted = {store for store, counted in source.scene.joined if not counted}
    for call in source.all(cst.Call):
        if source.calls(call, *JOIN) and source.named(_owner(call)).store in uncounted:
            text = source.code(_owner(call))
            message = f"nobody calls `{text}.task_done()`, so `{text}.join()` never comes back"
            yield Finding(source.place(call), f"{message}; call it for each item, in a `finally`")
        elif source.calls(call, *DONE) and source.named(_owner(call)).store in joined:
            found = taken(source, call)
            if found is not None:
                text = source.code(call)
                message = f"`{text}` is not reached when the work before it fails, and `join()` then waits for ever"
                notes = (Note(source.place(found.get), "the item is taken here"),)
                fix = _finally(source, found, call)
                yield Finding(source.place(call), f"{message}; put it into a `finally`", notes, fix)


def _owner(call: cst.Call) -> cst.BaseExpression:
    return call.func.value if isinstance(call.func, cst.Attribute) else call.func


def _finally(source: Source, found: Taken, call: cst.Call) -> Fix | None:
    """The work in a `try`, where it stands between the two in one block."""
    from conclint.source.edits import lines_of, shifted

    done = source.statement(call)
    if not found.between or not isinstance(done, cst.SimpleStatementLine) or len(done.body) != 1:
        return None
    first, last = found.between[0], found.between[-1]
    if any(isinstance(node, cst.Call) and path_of(node.func) == path_of(call.func) for node in found.work()):
        return None  # it is called on some ways already
    from conclint.source.edits import indent_unit

    indent, unit = source.indent(first), indent_unit(source, first)
    span = lines_of(source, first, done)
    comments = source.text.lines[lines_of(source, first, last).end_line : lines_of(source, done, done).line - 1]
    lines = [
        f"{indent}try:",
        shifted(source, first, last, unit),
        f"{indent}finally:",
        *(unit + line for line in comments if line.strip()),
        shifted(source, done, done, unit),
    ]
    leaves = any(isinstance(node, (cst.Break, cst.Continue, cst.Return)) for node in found.work())
    safety = Safety.UNSAFE if leaves else Safety.SAFE
    return Fix("put `task_done()` into a `finally`", (Edit(span, "\n".join(lines)),), safety)


RULE = Rule(
    code="CON211",
    name="uncounted-item",
    triggers=calls(*DONE, *JOIN),
    check=check,
    examples=(
        Bad(
            """
            import queue
            import threading

            def worker(items, handle):
                while True:
                    item = items.get()
                    # one after the other
                    handle(item)
                    print(item)

                    items.task_done()  # expect: CON211

            def run(handle, wanted):
                items = queue.Queue()
                threading.Thread(target=worker, args=(items, handle), daemon=True).start()
                for one in wanted:
                    items.put(one)
                items.join()
            """,
            fixed="""
            import queue
            import threading

            def worker(items, handle):
                while True:
                    item = items.get()
                    # one after the other
                    try:
                        handle(item)
                        print(item)
                    finally:
                        items.task_done()  # expect: CON211

            def run(handle, wanted):
                items = queue.Queue()
                threading.Thread(target=worker, args=(items, handle), daemon=True).start()
                for one in wanted:
                    items.put(one)
                items.join()
            """,
        ),
        Bad("""
            import threading
            from queue import Queue

            class Pool(threading.Thread):
                def __init__(self, handle):
                    super().__init__(daemon=True)
                    self.tasks = Queue()
                    self.handle = handle

                def run(self):
                    while True:
                        task, args = self.tasks.get()
                        if task is None:
                            continue
                        try:
                            task(*args)
                        except ValueError as error:
                            print(error)
                        self.tasks.task_done()  # expect: CON211

                def wait(self):
                    self.tasks.join()
            """),
        Bad("""
            import asyncio

            async def worker(items, handle):
                while True:
                    await handle(await items.get())

            async def run(handle, wanted):
                items = asyncio.Queue()
                for one in wanted:
                    items.put_nowait(one)
                item = await items.get()
                task = asyncio.create_task(worker(items, handle))
                await items.join()  # expect: CON211
                task.cancel()
                return item
            """),
        Good("""
            import queue
            import threading

            def worker(items, handle):
                while True:
                    item = items.get()
                    try:
                        handle(item)
                    finally:
                        items.task_done()

            def careful(items, handle):
                while True:
                    item = items.get()
                    try:
                        handle(item)
                    except Exception as error:
                        print(error)
                    items.task_done()

            def telling(items, handle, report):
                while True:
                    item = items.get()
                    if item is None:
                        items.task_done()
                        break
                    try:
                        handle(item)
                    except Exception as error:
                        report(error)
                    items.task_done()

            def at_once(items, handle):
                while True:
                    item = items.get()
                    if item is None:
                        break
                    items.task_done()
                    handle(item)

            def run(handle, wanted):
                items = queue.Queue()
                for work in (worker, careful, at_once):
                    threading.Thread(target=worker, args=(items, handle), daemon=True).start()
                    threading.Thread(target=careful, args=(items, handle), daemon=True).start()
                    threading.Thread(target=at_once, args=(items, handle), daemon=True).start()
                    threading.Thread(target=telling, args=(items, handle, print), daemon=True).start()
                for one in wanted:
                    items.put(one)
                items.join()
            """),
        Good("""
            import queue
            import threading

            def worker(items, handle):
                while True:
                    handle(items.get())
                    items.task_done()

            def run(handle, wanted):
                items = queue.Queue()
                thread = threading.Thread(target=worker, args=(items, handle), daemon=True)
                thread.start()
                print(",".join(wanted))
            """),
    ),
)
