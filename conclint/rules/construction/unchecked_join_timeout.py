"""`join` with a time limit returns either way, and nobody asks whether the thread is done.

`join(timeout)` always returns `None`. When the time is over the thread goes on, and the code behind it too: it reads a
result that is not there, or starts the next worker beside the one that is still busy.

Ask `is_alive()` after the join, and say what happens then; or join without a limit.

https://docs.python.org/3/library/threading.html#threading.Thread.join

Not reported: code that tests anything behind the join (the result, a flag), joins while something is closed, joins at
the end of a function, threads that somebody else asks about, and tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.lives import PROCESS, THREAD
from conclint.model import Finding
from conclint.program.left import is_end
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.makers import Maker, makers
from conclint.source.paths import path_of
from conclint.source.testcode import in_test
from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.program.scene import FateScene
    from conclint.source.source import Source

# Who calls these knows how the thread is doing.
ASKED = ("is_alive", "isAlive", "exitcode", "terminate", "kill", "cancel", "stop", "sentinel")

# In these blocks the test may stand.
TESTS = (cst.If, cst.IfExp, cst.Assert, cst.While, cst.Try, cst.BooleanOperation, cst.Match)


def check(source: Source) -> Iterator[Finding]:
    joins = list(_limited(source))
    for made in makers(source) if joins else ():
        fate = source.fate(made.call)
        if fate is None or fate.escapes or fate.does(*ASKED) or not fate.begun or in_test(source, made.call):
            continue
        for call in joins:
            if _joins(source, made, fate, call) and not _ends(source, call) and not _looks_behind(source, call):
                name = path_of(call.func).rpartition(".")[0]
                what = f"`{name}` may still run when the time is over, and nobody asks"
                yield Finding(source.place(call), f"{what}; ask `{name}.is_alive()`, or join without a limit")


def _limited(source: Source) -> Iterator[cst.Call]:
    """`thread.join(3)` as a statement."""
    for call in source.all(cst.Call):
        if len(call.args) == 1 and isinstance(source.parent(call), cst.Expr):
            limit = call.args[0].value
            if path_of(limit) != "None" and source.calls(call, f"{THREAD}.join", f"{PROCESS}.join"):
                yield call


def _joins(source: Source, made: Maker, fate: FateScene, call: cst.Call) -> bool:
    """Whether it is this one thread's join, in the function and the loop that made it, or that of each in turn."""
    here = source.function_node(call) is source.function_node(made.call) is not None
    by_name = path_of(call.func).rpartition(".")[0].isidentifier()
    at_once = source.loop(call) is source.loop(made.call) or _joined(source, call) is not source.statement(call)
    return here and by_name and at_once and ("join", source.path, source.line(call)) in fate.uses


def _joined(source: Source, call: cst.Call) -> cst.CSTNode:
    """The statement that joins: the loop where it does nothing else (`for thread in threads: thread.join(5)`)."""
    statement, loop = source.statement(call), source.loop(call)
    if not isinstance(loop, cst.For) or loop.orelse is not None or len(loop.body.body) != 1:
        return statement
    return loop if source.parent(statement) is loop.body else statement


def _ends(source: Source, call: cst.Call) -> bool:
    """Whether something is closed there: best effort, since nobody can do more."""
    for outer in source.ancestors(call):
        if isinstance(outer, cst.Finally):
            return True
        if isinstance(outer, cst.FunctionDef):
            return is_end(outer.name.value) or outer.name.value in ("__del__", "tearDown", "cleanup")
    return False


def _looks_behind(source: Source, call: cst.Call) -> bool:
    """Whether anything is tested behind the join, or nothing follows."""
    following = list(_following(source, call))
    last = not following and source.loop(_joined(source, call)) is None
    return last or any(isinstance(node, TESTS) for one in following for node in below(one))


def _following(source: Source, call: cst.Call) -> Iterator[cst.CSTNode]:
    """The statements behind it in its block, and behind the blocks around it, as far as the loop around it."""
    child = _joined(source, call)
    for outer in (source.parent(child), *source.ancestors(child)):
        if isinstance(outer, (cst.IndentedBlock, cst.Module)):
            body: list[cst.CSTNode] = list(outer.body)
            if child in body:
                yield from body[body.index(child) + 1 :]
        if isinstance(outer, (cst.For, cst.While, cst.FunctionDef)):
            return
        child = outer if outer is not None else child


RULE = Rule(
    code="CON120",
    name="unchecked-join-timeout",
    triggers=calls(f"{THREAD}.join", f"{PROCESS}.join"),
    check=check,
    examples=(
        Bad("""
            import threading

            def ask(server, question):
                answers = []
                thread = threading.Thread(target=lambda: answers.append(server.ask(question)))
                thread.start()
                thread.join(timeout=5)  # expect: CON120
                return answers[0]
            """),
        Bad("""
            from threading import Thread

            class Export:
                def __init__(self, server):
                    self.server = server

                def add(self, songs, progress):
                    for number, song in enumerate(songs):
                        worker = Thread(target=self.server.add, args=(song,))
                        worker.daemon = True
                        worker.start()
                        worker.join(timeout=3)  # expect: CON120
                        progress(number)
            """),
        Bad("""
            import multiprocessing as mp

            def render(page, out):
                child = mp.Process(target=page.render, args=(out,))
                child.start()
                child.join(60)  # expect: CON120
                with open(out) as file:
                    return file.read()
            """),
        Good("""
            import threading

            def ask(server, question):
                answers = []
                thread = threading.Thread(target=lambda: answers.append(server.ask(question)))
                thread.start()
                thread.join(timeout=5)
                if thread.is_alive():
                    raise TimeoutError(question)
                return answers[0]
            """),
        Good("""
            import threading

            def ask(server, question):
                answers = []
                thread = threading.Thread(target=lambda: answers.append(server.ask(question)))
                thread.start()
                thread.join(timeout=5)
                if not answers:
                    raise TimeoutError(question)
                return answers[0]
            """),
        Good("""
            import threading

            def serve(server, stop):
                thread = threading.Thread(target=server.serve_forever)
                thread.start()
                try:
                    stop.wait()
                finally:
                    server.shutdown()
                    thread.join(timeout=5)
                    print("closed")
            """),
    ),
)
