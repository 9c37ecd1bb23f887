"""A pool's thread runs many tasks, and this one may see what an earlier task left in the `threading.local`.

A thread-local value lives as long as the thread. In a pool that is much longer than one task: what is set only under a
condition, and reset by nobody, keeps the value of whichever task ran on this thread before. One request then runs with
another one's user.

Set the value in every case, and remove it in a `finally`; or use a `ContextVar` and `reset()` it.

Not reported: caches, which ask for the value itself before they set it; and functions that set, delete or clear it
elsewhere.

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
from conclint.source.paths import path_of

if TYPE_CHECKING:
    from conclint.program.scene import RunScene
    from conclint.source.source import Source

LOCAL = "threading.local"


def check(source: Source) -> Iterator[Finding]:
    for target in source.all(cst.AssignTarget):
        state = target.target
        if not isinstance(state, cst.Attribute) or LOCAL not in source.types(state.value):
            continue
        run = _pooled(source, state)
        if run is not None and _conditional(source, target, state) and _read_behind(source, state):
            text = source.code(state)
            message = f"`{text}` keeps what an earlier task on this thread set, where the condition does not hold"
            yield Finding(source.place(state), f"{message}; set it in every case, and reset it", notes=run.trace)


def _pooled(source: Source, state: cst.Attribute) -> RunScene | None:
    """How a pool comes to run the function itself."""
    function = source.function(state)
    runs = function.runs_in(Context.THREAD) if function is not None else ()
    return next((run for run in runs if run.how in POOL_METHODS and len(run.trace) == 1), None)


def _conditional(source: Source, target: cst.AssignTarget, state: cst.Attribute) -> bool:
    """Whether it stands directly below an `if` without `else` that does not ask for the value, and nowhere else."""
    from conclint.source.tree import below

    condition = source.nearest(target, cst.If, cst.FunctionDef)
    function, wanted = source.function_node(target), path_of(state)
    if not isinstance(condition, cst.If) or condition.orelse is not None or function is None:
        return False
    if any(path_of(node).startswith(path_of(state.value)) for node in below(condition.test)):
        return False  # a cache
    others = [
        node
        for node in below(function)
        if isinstance(node, (cst.AssignTarget, cst.Del))
        and node is not target
        and any(path_of(part) == wanted for part in below(node))
    ]
    return not others and isinstance(source.parent(condition), cst.IndentedBlock)


def _read_behind(source: Source, state: cst.Attribute) -> bool:
    """Whether the function reads the value behind the `if`, or hands the object on."""
    condition = source.nearest(state, cst.If)
    wanted, local = path_of(state), path_of(state.value)
    function = source.function_node(state)
    end = max((source.sequence(node) for node in _below(condition)), default=0)
    for node in (*source.all(cst.Attribute), *source.all(cst.Arg)):
        path = path_of(node.value) if isinstance(node, cst.Arg) else path_of(node)
        later = source.sequence(node) > end and source.function_node(node) is function
        if later and path in (wanted, local) and not (isinstance(node, cst.Attribute) and path == local):
            return True
    return False


def _below(node: cst.CSTNode | None) -> Iterator[cst.CSTNode]:
    from conclint.source.tree import below

    if node is not None:
        yield from below(node)


RULE = Rule(
    code="CON218",
    name="local-not-reset",
    triggers=starts(*sorted(POOL_METHODS)),
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
