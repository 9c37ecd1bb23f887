"""The class has a `run` of its own, so the target that it is given is never called.

`Thread.run` and `Process.run` are what calls the target. A subclass that overrides `run` and does not call
`super().run()` ignores `target`, `args` and `kwargs` without a word.

Give the function to `threading.Thread` itself, or the work to `run`.

https://docs.python.org/3/library/threading.html#threading.Thread.run

Not reported: a `run` that calls `super().run()` or uses `_target`, and a constructor that takes `target` for itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.lives import PROCESS, THREAD
from conclint.model import Finding
from conclint.program.triggers import Triggers
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.makers import Maker, initialisers, makers
from conclint.source.paths import path_of
from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.source.source import Source


def check(source: Source) -> Iterator[Finding]:
    for made in makers(source):
        target = made.given("target")
        if not made.own or made.kind not in (THREAD, PROCESS) or target is None or path_of(target.value) == "None":
            continue
        fate = source.fate(made.call)
        if fate is not None and fate.deaf:
            name = source.code(made.call.func)
            what = f"`{name}` has a `run` of its own, which never calls this target"
            yield Finding(source.place(made.call), f"{what}; give it to `{made.kind}`, or drop it")
    for made in initialisers(source):
        cls = source.nearest(made.call, cst.ClassDef)
        if cls is not None and made.kind in (THREAD, PROCESS) and _in_vain(source, cls, made):
            what = f"`{cls.name.value}` has a `run` of its own, which never calls this target"
            yield Finding(source.place(made.call), f"{what}; drop the one or the other")


def _in_vain(source: Source, cls: cst.ClassDef, made: Maker) -> bool:
    """Whether the class has a `run` that does not come to the target, which the constructor does not keep either."""
    run = next((one for one in cls.body.body if isinstance(one, cst.FunctionDef) and one.name.value == "run"), None)
    target, around = made.given("target"), source.function_node(made.call)
    path = path_of(target.value) if target is not None else ""
    if run is None or around is None or path in ("", "None") or path.endswith(".run"):
        return False
    here = {id(node) for node in below(made.call)}
    kept = any(path_of(node) == path for node in below(around.body) if id(node) not in here)
    called = {path_of(node) for node in below(run) if isinstance(node, (cst.Attribute, cst.Call))}
    ends = (".run", ".run()", "_target", "_target()", path.rpartition(".")[2] + "()")
    return not kept and not any(one.endswith(ends) for one in called)


RULE = Rule(
    code="CON112",
    name="target-beside-run",
    triggers=Triggers(calls=frozenset({THREAD, PROCESS}), bases=frozenset({THREAD, PROCESS})),
    check=check,
    examples=(
        Bad("""
            import threading

            class Worker(threading.Thread):
                def run(self):
                    print("working")

            def begin(job):
                worker = Worker(target=job)  # expect: CON112
                worker.start()
                return worker
            """),
        Bad("""
            from multiprocessing import Process

            class Render(Process):
                def run(self):
                    print("rendering")

            class Preview(Render):
                pass

            def begin(job, page):
                preview = Preview(target=job, args=(page,))  # expect: CON112
                preview.start()
                return preview
            """),
        Good("""
            import threading

            class Loud(threading.Thread):
                def run(self):
                    print("begin")
                    super().run()

            def begin(job):
                worker = Loud(target=job)
                worker.start()
                return worker
            """),
        Good("""
            import threading

            class Result(threading.Thread):
                def run(self):
                    self.value = self._target(*self._args)

            def begin(job):
                worker = Result(target=job)
                worker.start()
                return worker
            """),
        Good("""
            import threading

            class Repeat(threading.Thread):
                def __init__(self, target):
                    super().__init__()
                    self.work = target

                def run(self):
                    while self.work():
                        pass

            def begin(job):
                worker = Repeat(target=job)
                worker.start()
                return worker
            """),
    ),
)
