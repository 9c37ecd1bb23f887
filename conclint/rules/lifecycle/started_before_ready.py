"""The thread is started before the object has this attribute, which the thread reads.

`start()` returns when the new thread is running: from then on both go on at once. What the constructor assigns after
it may not be there yet when the thread asks, and `AttributeError` in a thread ends it without a word to anybody. It
works on a quiet machine and fails on a busy one.

Start the thread as the last thing the constructor does, or in a `start()` method of its own.

https://docs.python.org/3/library/threading.html#threading.Thread.start

Not reported: attributes that have a value before the start too (also in the class's body), attributes that the thread
does not read, or only once it has waited for a queue, event or condition of the object's own, which others feed later,
and a start that comes last.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.model import Finding, Note
from conclint.program.triggers import Triggers
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.paths import path_of
from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.source.source import Source

STARTS = frozenset({"threading.Thread.start", "concurrent.futures.ThreadPoolExecutor.submit"})


def check(source: Source) -> Iterator[Finding]:
    early = {(one.line, one.column): one.reads for one in source.scene.timing.early if one.reads}
    for call in source.all(cst.Call) if early else ():
        span = source.span(call)
        function = source.function_node(call)
        if isinstance(function, cst.FunctionDef) and (reads := early.get((span.line, span.column))):
            if isinstance(source.parent(call), cst.Attribute):
                continue  # `super()` in `super().__init__()` begins there too
            late = _assigned_later(source, call, function, reads)
            if late is not None:
                name = path_of(late)
                message = f"the thread is started here and reads `{name}`, which is assigned later; start it last"
                yield Finding(source.place(call), message, (Note(source.place(late), "assigned here"),))


def _assigned_later(
    source: Source, start: cst.Call, function: cst.FunctionDef, reads: tuple[str, ...]
) -> cst.BaseExpression | None:
    """The first attribute that gets its first value after the start, and that the thread reads."""
    receiver = function.params.params[0].name.value
    at = source.sequence(start)
    ready = {*_of_class(source, function)}
    for node in below(function):
        if not isinstance(node, (cst.AssignTarget, cst.AnnAssign)):
            continue
        owner, _, name = path_of(node.target).rpartition(".")
        if owner != receiver or name in ready:
            continue
        if source.sequence(node) < at:
            ready.add(name)
        elif name in reads and not _apart(source, start, node):
            return node.target
    return None


def _of_class(source: Source, function: cst.FunctionDef) -> Iterator[str]:
    """The names that the class's body binds, and those of its bases that are called to bind theirs."""
    cls = source.nearest(function, cst.ClassDef)
    for statement in cls.body.body if cls is not None else ():
        if isinstance(statement, cst.FunctionDef):
            yield statement.name.value
        for small in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
            if isinstance(small, cst.Assign):
                yield from (path_of(one.target) for one in small.targets)
            elif isinstance(small, cst.AnnAssign):
                yield path_of(small.target)


def _apart(source: Source, start: cst.Call, later: cst.CSTNode) -> bool:
    """Whether the assignment stands in another branch than the start, or in a function inside."""
    around = [outer for outer in source.ancestors(start) if isinstance(outer, (cst.If, cst.Else, cst.ExceptHandler))]
    other = [outer for outer in source.ancestors(later) if isinstance(outer, (cst.If, cst.Else, cst.ExceptHandler))]
    inside = source.function_node(later) is not source.function_node(start)
    return inside or any(one not in other for one in around)


RULE = Rule(
    code="CON212",
    name="started-before-ready",
    triggers=Triggers(calls=STARTS, constructors=True),
    check=check,
    examples=(
        Bad("""
            import threading

            class Poller:
                def __init__(self, poll):
                    self.poll = poll
                    self.thread = threading.Thread(target=self.run)
                    self.thread.start()  # expect: CON212
                    self.data = {}

                def run(self):
                    for key, value in self.poll():
                        self.data[key] = value

                def close(self):
                    self.thread.join()
            """),
        Bad("""
            from threading import Thread

            class Reader(Thread):
                def __init__(self, file):
                    super().__init__(daemon=True)
                    self.file = file
                    self.start()  # expect: CON212
                    self.lines = []

                def run(self):
                    for line in self.file:
                        self._take(line)

                def _take(self, line):
                    self.lines.append(line)
            """),
        Bad("""
            import threading

            class Feed:
                def __init__(self, source, limit):
                    self.source = source
                    worker = threading.Thread(target=self._work, daemon=True)
                    worker.start()  # expect: CON212
                    self._worker = worker
                    self.limit = limit

                def _work(self):
                    while len(self.source) < self.limit:
                        self.source.more()
            """),
        Good("""
            import threading

            class Poller:
                def __init__(self, poll):
                    self.poll = poll
                    self.data = {}
                    self.thread = threading.Thread(target=self.run)
                    self.thread.start()

                def run(self):
                    for key, value in self.poll():
                        self.data[key] = value

                def close(self):
                    self.thread.join()
            """),
        Good("""
            import threading

            class Poller:
                limit = 3

                def __init__(self, poll, limit):
                    self.poll = poll
                    self.rounds = 0
                    self.thread = threading.Thread(target=self.run)
                    self.thread.start()
                    self.limit = limit
                    self.rounds = 1
                    self.name = "poller"

                def run(self):
                    for _ in range(self.limit):
                        self.poll(self.rounds)
            """),
        Good("""
            import threading

            class Poller:
                def __init__(self, poll, background):
                    self.poll = poll
                    if background:
                        self.data = {}
                        self.thread = threading.Thread(target=self.run)
                        self.thread.start()
                    else:
                        self.data = []

                def run(self):
                    print(self.poll(), self.data)
            """),
    ),
)
