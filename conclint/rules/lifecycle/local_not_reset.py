"""A pool's thread runs many tasks, and this one may see what an earlier task left in the `threading.local`.

A thread-local value lives as long as the thread, and so does what a pool's thread sets in a `ContextVar`. That is much
longer than one task: what is set only under a condition, and reset by nobody, keeps the value of whichever task ran on
this thread before. One request then runs with another one's user.

Set the value in every case, and remove it in a `finally`; or use a `ContextVar` and `reset()` it.

Not reported: caches, which ask for the value itself before they set it; functions that set, delete or clear it
elsewhere, be it in a helper; values that are read only where the same condition holds; and decorated functions.

See https://docs.python.org/3/library/threading.html#thread-local-data
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.kinds import Context
from conclint.knowledge.pools import POOL_METHODS
from conclint.model import Finding
from conclint.program.triggers import starts
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.thread_locals import Setting, asks, resets, settings, uses
from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.program.scene import RunScene
    from conclint.source.source import Source

# Whose threads run one task after the other.
POOLED = POOL_METHODS | {"asyncio.AbstractEventLoop.run_in_executor", "asyncio.to_thread", "joblib.delayed"}


# What runs its work in a copy of the caller's context.
COPYING = frozenset({"asyncio.to_thread"})


def check(source: Source) -> Iterator[Finding]:
    for one in settings(source):
        run = _pooled(source, one)
        stays = run is not None and _conditional(source, one) and _read_behind(source, one)
        if run is not None and stays and not resets(source, one):
            message = f"`{one.text}` keeps what an earlier task on this thread set, where the condition does not hold"
            yield Finding(source.place(one.shown), f"{message}; set it in every case, and reset it", notes=run.trace)


def _pooled(source: Source, one: Setting) -> RunScene | None:
    """How a pool comes to run the function itself."""
    function, node = source.function(one.node), source.function_node(one.node)
    if function is None or not isinstance(node, cst.FunctionDef) or node.decorators:
        return None  # what wraps it may clear up
    pools = POOLED - COPYING if one.is_context else POOLED
    runs = function.runs_in(Context.THREAD)
    return next((run for run in runs if run.how in pools and len(run.trace) == 1), None)


def _conditional(source: Source, one: Setting) -> bool:
    """Whether it stands directly below an `if` without `else` that does not ask for the value, and nowhere else."""
    condition = source.nearest(one.node, cst.If, cst.FunctionDef)
    function = source.function_node(one.node)
    if not isinstance(condition, cst.If) or condition.orelse is not None or function is None:
        return False
    if asks(source, condition.test, one.owner):
        return False  # a cache
    others = [node for node in below(function) if node is not one.node and one.is_changed_by(node)]
    return not others and isinstance(source.parent(condition), cst.IndentedBlock)


def _read_behind(source: Source, one: Setting) -> bool:
    """Whether the function reads the value behind the `if`, or hands the object on."""
    condition = source.nearest(one.node, cst.If)
    function = source.function_node(one.node)
    if condition is None or function is None:
        return False
    end = max(source.sequence(node) for node in below(condition))
    return any(
        source.sequence(node) > end and source.function_node(node) is function and not _alike(source, condition, node)
        for node in uses(source, function, one)
    )


def _alike(source: Source, condition: cst.If, node: cst.CSTNode) -> bool:
    """Whether it is read only where the same is asked again."""
    asked = source.code(condition.test)
    around = (one for one in source.ancestors(node) if isinstance(one, (cst.If, cst.IfExp)))
    return any(asked in source.code(one.test) for one in around)


RULE = Rule(
    code="CON218",
    name="local-not-reset",
    triggers=starts(*sorted(POOLED)),
    check=check,
    examples=(
        Bad("""
            import threading
            from concurrent.futures import ThreadPoolExecutor

            _local = threading.local()

            def handle(request):
                if request.admin:
                    _local.user = request.user  # expect: CON218
                return render(_local)

            def render(state):
                return state.user.name

            def handle_all(requests):
                with ThreadPoolExecutor() as pool:
                    return list(pool.map(handle, requests))
            """),
        Bad("""
            import threading as t
            from multiprocessing.pool import ThreadPool

            class Server:
                def __init__(self):
                    self.state = t.local()

                def handle(self, request):
                    self.state.request = request
                    if request.language:
                        self.state.language = request.language  # expect: CON218
                    return f"{self.state.request} {self.state.language}"

                def run(self, requests):
                    with ThreadPool(4) as pool:
                        return pool.map(self.handle, requests)
            """),
        Bad("""
            import concurrent.futures
            from threading import local

            DEPTH = local()

            def walk(node):
                if node.nested:
                    DEPTH.level = node.level  # expect: CON218
                print(DEPTH.level)

            def walk_all(executor: concurrent.futures.ThreadPoolExecutor, nodes):
                return [executor.submit(walk, node) for node in nodes]
            """),
        Good("""
            import threading
            from concurrent.futures import ThreadPoolExecutor

            _local = threading.local()

            def session():
                if not hasattr(_local, "session"):
                    _local.session = object()
                return _local.session

            def handle(request):
                _local.user = None
                if request.admin:
                    _local.user = request.user
                return _local.user

            def careful(request):
                if request.admin:
                    _local.user = request.user
                try:
                    return _local.user
                finally:
                    del _local.user

            def chosen(request):
                if request.admin:
                    _local.user = request.user
                else:
                    _local.user = None
                return _local.user

            def handle_all(requests):
                with ThreadPoolExecutor() as pool:
                    sessions = [pool.submit(session) for _ in requests]
                    for work in (handle, careful, chosen):
                        print(list(pool.map(work, requests)))
                    print(list(pool.map(handle, requests)), list(pool.map(careful, requests)))
                    print(list(pool.map(chosen, requests)))
                return [one.result() for one in sessions]
            """),
    ),
)
