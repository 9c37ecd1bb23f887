"""This `__init__` never calls the one of the thread or process that it derives from.

`Thread.__init__` and `Process.__init__` make what `start()` and `join()` need. Without them `start()` raises
"RuntimeError: thread.__init__() not called" (for a process an `AttributeError`).

Call `super().__init__()` first: "it must make sure to invoke the base class constructor before doing anything else to
the thread".

https://docs.python.org/3/library/threading.html#threading.Thread

Not reported: constructors that call the base's in any spelling, hand `self` to something that may do so, or only
raise, and classes that have a `start` of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.lives import PROCESS, THREAD, TIMER
from conclint.model import Finding
from conclint.program.triggers import derives
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.paths import path_of
from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.source.source import Source


def check(source: Source) -> Iterator[Finding]:
    for cls in source.all(cst.ClassDef):
        methods = {one.name.value: one for one in cls.body.body if isinstance(one, cst.FunctionDef)}
        made = methods.get("__init__")
        if made is None or "start" in methods or "__new__" in methods or not made.params.params:
            continue
        receiver = made.params.params[0].name.value
        types = source.named_at(source.qualname_of(made), receiver).types
        kind = next((base for base in (THREAD, PROCESS) if base in types), "")
        if kind and not _refuses(made) and not _may_initialise(methods, made, receiver):
            what = f"this `__init__` never calls that of `{kind}`, so `start()` raises"
            yield Finding(source.place(made.name), f"{what}; call `super().__init__()` first")


def _refuses(made: cst.FunctionDef) -> bool:
    """Whether it only raises, or is not written out: the class is made through others that derive from it."""
    last = made.body.body[-1]
    if not isinstance(last, (cst.SimpleStatementLine, cst.Expr)):
        return False
    small = last.body[-1] if isinstance(last, cst.SimpleStatementLine) else last
    return isinstance(small, cst.Raise) or (isinstance(small, cst.Expr) and isinstance(small.value, cst.Ellipsis))


def _may_initialise(methods: dict[str, cst.FunctionDef], made: cst.FunctionDef, receiver: str) -> bool:
    """Whether it calls some `__init__`, itself or in a method that it calls, or hands `self` to somebody."""
    seen, waiting = {made.name.value}, [made]
    for method in waiting:
        for node in below(method):
            if path_of(node) == "super().__init__":
                return True
            path = path_of(node.func) if isinstance(node, cst.Call) else ""
            if not isinstance(node, cst.Call) or path == "object.__init__":
                continue
            owner, _, name = path.rpartition(".")
            handed = any(path_of(arg.value) == receiver for arg in node.args)
            inherited = owner == receiver and name not in methods
            if name == "__init__" or path.startswith("super()") or handed or inherited:
                return True
            if owner == receiver and name not in seen:
                seen.add(name)
                waiting.append(methods[name])
    return False


RULE = Rule(
    code="CON111",
    name="base-not-initialised",
    triggers=derives(THREAD, TIMER, PROCESS),
    check=check,
    examples=(
        Bad("""
            import threading

            class Worker(threading.Thread):
                def __init__(self, jobs):  # expect: CON111
                    self.jobs = jobs

                def run(self):
                    for job in self.jobs:
                        job()
            """),
        Bad("""
            from multiprocessing import Process as Child

            class Render(Child):
                def __init__(self, page):  # expect: CON111
                    self._page = page
                    self._prepare()

                def _prepare(self):
                    self._text = str(self._page)

                def run(self):
                    print(self._text)
            """),
        Bad("""
            import threading

            class Base(threading.Thread):
                def __init__(self):
                    super().__init__(daemon=True)

            class Poller(Base):
                def __init__(self, period):  # expect: CON111
                    self.period = period
            """),
        Good("""
            import threading

            class Worker(threading.Thread):
                def __init__(self, jobs):
                    threading.Thread.__init__(self)
                    self.jobs = jobs

            class Named(Worker):
                def __init__(self, jobs, name):
                    super(Named, self).__init__(jobs)
                    self.name = name
            """),
        Good("""
            import threading

            class Worker(threading.Thread):
                def __init__(self, jobs):
                    self._set_up()
                    self.jobs = jobs

                def _set_up(self):
                    super().__init__(daemon=True)
            """),
        Good("""
            import threading

            class Mixin:
                def __init__(self, jobs):
                    self.jobs = jobs

            class Worker(threading.Thread):
                def run(self):
                    print("working")
            """),
    ),
)
