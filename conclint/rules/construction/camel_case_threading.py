"""This name is deprecated since Python 3.10 and will go.

`threading` still knows the names that it took over from Java: `currentThread`, `activeCount`, `notifyAll`, `isSet`,
`getName`, `setName`, `isDaemon`, `setDaemon`. Each call raises a `DeprecationWarning`, which becomes an error where
tests treat warnings as errors.

Use the names that stand beside them since Python 2.6; `name` and `daemon` are attributes.

https://docs.python.org/3/library/threading.html#threading.current_thread

Not reported: methods of the same names on other objects, whatever they are: only what is known to be a thread, an
event or a condition counts; code that expects the warning, and fallbacks for older versions behind `hasattr` or
`except`.

The fix does the same under the new name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.deprecated import FUNCTIONS, GETTERS, METHODS, SETTERS
from conclint.model import Edit, Finding, Fix, Safety, Span
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.paths import path_of
from conclint.source.testcode import expects_trouble

if TYPE_CHECKING:
    from conclint.source.source import Source

NAMES = {**FUNCTIONS, **METHODS, **GETTERS, **SETTERS}
OLDER = re.compile(r"has_?attr|version_info|\bPY[23]")
BY_LAST = {name.rpartition(".")[2]: name for name in NAMES}


def check(source: Source) -> Iterator[Finding]:
    for call in source.all(cst.Call):
        old = path_of(call.func).rpartition(".")[2]
        name = BY_LAST.get(old, "")
        if name and source.calls(call, name) and not expects_trouble(source, call) and not _falls_back(source, call):
            new = NAMES[name]
            what = f"`{old}` is deprecated since Python 3.10; use `{new}`"
            yield Finding(source.place(call), what, fix=_fix(source, call, name, new))


def _falls_back(source: Source, call: cst.Call) -> bool:
    """Whether it stands where an older Python is provided for: behind `hasattr`, or an `except`."""
    for outer in source.ancestors(call):
        if isinstance(outer, cst.If) and OLDER.search(source.code(outer.test)):
            return True
        if isinstance(outer, cst.ExceptHandler):
            return True
        if isinstance(outer, cst.FunctionDef):
            return False
    return False


def _fix(source: Source, call: cst.Call, name: str, new: str) -> Fix | None:
    func = call.func
    if not isinstance(func, cst.Attribute):
        return None  # imported by name: the import and every use would have to change together
    title = f"use `{new}`"
    if name in FUNCTIONS or name in METHODS:
        return Fix(title, (source.replace(func.attr, new),), Safety.SAFE)
    around, attr = source.span(call), source.span(func.attr)
    end = Span(attr.line, attr.column, around.end_line, around.end_column)
    if name in GETTERS:
        return Fix(title, (Edit(end, new),), Safety.SAFE) if not call.args else None
    if len(call.args) != 1 or call.args[0].star or not isinstance(source.parent(call), cst.Expr):
        return None
    value = source.code(call.args[0].value)
    return Fix(title, (Edit(end, f"{new} = {value}"),), Safety.SAFE) if "\n" not in value else None


RULE = Rule(
    code="CON117",
    name="camel-case-threading",
    triggers=calls(*NAMES),
    check=check,
    examples=(
        Bad(
            """
            import threading

            def begin(work):
                thread = threading.Thread(target=work)
                thread.setDaemon(True)  # expect: CON117
                thread.start()
                print(threading.currentThread().getName())  # expect: CON117, CON117
                return thread
            """,
            fixed="""
            import threading

            def begin(work):
                thread = threading.Thread(target=work)
                thread.daemon = True  # expect: CON117
                thread.start()
                print(threading.current_thread().name)  # expect: CON117, CON117
                return thread
            """,
        ),
        Bad(
            """
            import threading

            class Poller(threading.Thread):
                def __init__(self):
                    super().__init__()
                    self.setName("poller")  # expect: CON117
                    self.stopped = threading.Event()
                    self.changed = threading.Condition()

                def run(self):
                    while not self.stopped.isSet():  # expect: CON117
                        with self.changed:
                            self.changed.notifyAll()  # expect: CON117
            """,
            fixed="""
            import threading

            class Poller(threading.Thread):
                def __init__(self):
                    super().__init__()
                    self.name = "poller"  # expect: CON117
                    self.stopped = threading.Event()
                    self.changed = threading.Condition()

                def run(self):
                    while not self.stopped.is_set():  # expect: CON117
                        with self.changed:
                            self.changed.notify_all()  # expect: CON117
            """,
        ),
        Bad("""
            from threading import activeCount, currentThread as current

            def report():
                print(current(), activeCount())  # expect: CON117
            """),
        Good("""
            import threading

            class Shape:
                def getName(self):
                    return "circle"

                def isSet(self):
                    return True

            def report(shape: Shape, other):
                print(shape.getName(), shape.isSet(), other.isSet(), threading.current_thread().name)
            """),
        Good("""
            import threading

            class Daemon(threading.Thread):
                def __init__(self):
                    super().__init__()
                    if hasattr(self, "daemon"):
                        self.daemon = True
                    else:
                        self.setDaemon(True)
            """),
        Good("""
            from threading import current_thread, Event

            def wait(event: Event):
                while not event.is_set():
                    print(current_thread().daemon)
            """),
    ),
)
