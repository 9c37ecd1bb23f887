"""Another consumer can take the last item between this question and the `get`.

`empty()` and `qsize()` tell how it was.  Of two consumers that both see one item, the second waits in `get()` for an
item that never comes, and the thread that joins it waits too; with `get_nowait()` it fails with `queue.Empty`.

Take the item and be prepared that there is none: `try: item = q.get_nowait()`, `except queue.Empty: break`.

See https://docs.python.org/3/library/queue.html#queue.Queue.empty.

Two consumers are shown by threads that run this function, or by another method that takes from the same queue in a
thread.  A queue that an object keeps is there for several threads anyway: where nobody sees who they are, the question
is reported only where this rule is selected by name.

Not reported: a single consumer, queues of the function's own, questions under a lock, what happens after the consumers
were joined, and a `get` that cannot block below `try … except Empty`.

The fix of a `while not q.empty():` that begins with `item = q.get()` takes the item with `get_nowait()` and leaves the
loop when there is none; it is applied with `--unsafe-fixes` only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.asking import EMPTINESS, QUEUES, TAKING
from conclint.knowledge.kinds import Context, Setting
from conclint.model import Edit, Finding, Fix, Note
from conclint.program.contexts import CONCURRENT
from conclint.program.contexts import evidence as trace
from conclint.program.observations import Change
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.program.evidence import Evidence
    from conclint.source.source import Source


def conclude(evidence: Evidence) -> Iterator[Finding]:
    told: set[str] = set()
    for doing in evidence.doings(Setting.EMPTINESS, among=CONCURRENT):
        if doing.other is doing.run and not (doing.guarded or evidence.rivals.apart(doing.change, doing.run)):
            told.add(doing.change.point.function)
            yield _finding(doing.change, doing.notes)
    for change in evidence.asked(Setting.EMPTINESS):
        rival = evidence.rivals.of(change, TAKING)
        weak = rival is None and (_is_local(change) or evidence.rivals.alone(change))
        if change.point.function not in told and not weak and not change.point.joined:
            yield _finding(change, trace(rival) if rival is not None else (), when_asked=rival is None)


def _finding(change: Change, notes: tuple[Note, ...], *, when_asked: bool = False) -> Finding:
    last = change.name.rpartition(".")[2]
    then = "fails" if last == "get_nowait" else "waits in vain"
    return Finding(
        change.place,
        f"another consumer can empty `{change.text}` between this question and `{last}`, which then {then}; use "
        "`get_nowait()` and catch `queue.Empty`",
        notes=notes,
        when_asked=when_asked,
    )


def _is_local(change: Change) -> bool:
    """Whether the queue is one that the function was given, or has made."""
    return "." not in change.text


def mend(source: Source, finding: Finding) -> Fix | None:
    """`while True:`, with a `try` around the first statement."""
    from conclint.source.edits import indent_unit, lines_of
    from conclint.source.imports import imported

    for loop in source.all(cst.While):
        if source.place(loop.test) != finding.place:
            continue
        first = loop.body.body[0]
        taken = _taken(source, first)
        empty = imported(source, "queue", "Empty")
        if taken is None or empty is None or loop.orelse is not None or not isinstance(loop.test, cst.UnaryOperation):
            return None
        indent, unit = source.indent(first), indent_unit(source, first)
        text = source.text.lines[source.line(first) - 1]
        called = text.strip().replace(
            f"{source.code(taken)}", f"{source.code(taken.func).removesuffix('.get')}.get_nowait()"
        )
        lines = [f"{indent}try:", f"{indent}{unit}{called}", f"{indent}except {empty.spelled}:", f"{indent}{unit}break"]
        edits = (source.replace(loop.test, "True"), Edit(lines_of(source, first, first), "\n".join(lines)))
        return Fix("take it if there is one", (*empty.edits, *edits))
    return None


def _taken(source: Source, statement: cst.BaseStatement | cst.BaseSmallStatement) -> cst.Call | None:
    """The `q.get()` of `item = q.get()`, alone on its line."""
    only = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1 else None
    call = only.value if isinstance(only, cst.Assign) else None
    if not isinstance(call, cst.Call) or call.args or source.line(call) != source.span(call).end_line:
        return None
    return call if isinstance(call.func, cst.Attribute) and call.func.attr.value == "get" else None


RULE = Rule(
    code="CON307",
    name="queue-asked-first",
    triggers=calls(
        *(f"{queue}.{name}" for queue in QUEUES for name in EMPTINESS),
        runs_in=(Context.THREAD, Context.PROCESS),
        together=(f"{queue}.{name}" for queue in QUEUES for name in TAKING),
    ),
    conclude=conclude,
    mend=mend,
    examples=(
        Bad(
            """
            import queue
            import threading

            def work(jobs):
                while not jobs.empty():  # expect: CON307
                    job = jobs.get()
                    print(job)

            def run(items):
                jobs = queue.Queue()
                for item in items:
                    jobs.put(item)
                for _ in range(4):
                    threading.Thread(target=work, args=(jobs,)).start()
            """,
            fixed="""
            import queue
            import threading

            def work(jobs):
                while True:  # expect: CON307
                    try:
                        job = jobs.get_nowait()
                    except queue.Empty:
                        break
                    print(job)

            def run(items):
                jobs = queue.Queue()
                for item in items:
                    jobs.put(item)
                for _ in range(4):
                    threading.Thread(target=work, args=(jobs,)).start()
            """,
        ),
        Bad("""
            from multiprocessing import Process, Queue

            jobs = Queue()

            def work():
                while True:
                    if jobs.qsize() > 0:  # expect: CON307
                        print(jobs.get())
                    else:
                        break

            def run():
                children = [Process(target=work) for _ in range(4)]
                for child in children:
                    child.start()
                for child in children:
                    child.join()
            """),
        Bad("""
            from concurrent.futures import ThreadPoolExecutor
            from queue import PriorityQueue

            class Crawler:
                def __init__(self):
                    self.todo = PriorityQueue()

                def work(self, number):
                    while not self.todo.empty() and number:  # expect: CON307
                        print(self.todo.get_nowait())

                def run(self):
                    with ThreadPoolExecutor() as pool:
                        list(pool.map(self.work, range(4)))
            """),
        Good("""
            import queue
            import threading

            def work(jobs):
                while True:
                    try:
                        job = jobs.get_nowait()
                    except queue.Empty:
                        break
                    print(job)

            def run(items):
                jobs = queue.Queue()
                for item in items:
                    jobs.put(item)
                for _ in range(4):
                    threading.Thread(target=work, args=(jobs,)).start()
            """),
        Good("""
            import queue
            import threading

            def work(jobs):
                while not jobs.empty():
                    print(jobs.get())

            def run(items):
                jobs = queue.Queue()
                for item in items:
                    jobs.put(item)
                consumer = threading.Thread(target=work, args=(jobs,))
                consumer.start()
                consumer.join()
            """),
        Good("""
            import queue
            import threading

            LOCK = threading.Lock()

            def work(jobs):
                own = queue.Queue()
                while not own.empty():
                    print(own.get())
                with LOCK:
                    while not jobs.empty():
                        print(jobs.get())

            def run(jobs: queue.Queue):
                for _ in range(4):
                    threading.Thread(target=work, args=(jobs,)).start()
            """),
    ),
)
