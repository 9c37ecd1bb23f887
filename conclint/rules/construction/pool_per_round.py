"""A pool is made anew each time, so its workers are thrown away after one use.

A pool costs when it is made: threads, or processes that import the program again. Made in a loop, or for each request,
it is never warm; and a server that makes one per request has as many pools as requests, each with its own bound.

Make the pool once, around the loop or beside the application, and give it all the work.

https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.Executor

Not reported: pools whose arguments differ from round to round, pools that are all kept, pools made again after one
broke, loops over a handful that the program writes out, and tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.coroutines import HANDLERS as AWAITED
from conclint.model import Finding
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.literals import target_names
from conclint.source.testcode import in_test
from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.program.scene import RunScene
    from conclint.source.source import Source

POOLS = (
    "concurrent.futures.ThreadPoolExecutor",
    "concurrent.futures.ProcessPoolExecutor",
    "multiprocessing.pool.Pool",
    "multiprocessing.pool.ThreadPool",
)

# What runs once per request: see `knowledge.frameworks`.
HANDLERS = ("flask.", "django.", "fastapi.", "starlette.routing.", "tornado.web.", "http.server.", "socketserver.")

# Below these somebody decides whether a new one is needed.
CHOICES = (cst.If, cst.ExceptHandler, cst.IfExp, cst.While)


def check(source: Source) -> Iterator[Finding]:
    for call in source.all(cst.Call):
        if not source.calls(call, *POOLS) or in_test(source, call):
            continue
        loop = source.loop(call)
        handled = _handler(source, call)
        if isinstance(loop, cst.For) and _alike_each_time(source, call, loop) and not _is_kept(source, call):
            what = "this pool is made again for each round of the loop; make it once, around the loop"
            yield Finding(source.place(call), what, when_asked=_is_repetition(source, loop))
        elif handled is not None or _in_async_handler(source, call):
            what = "this pool is made for each request; make one for the application"
            yield Finding(source.place(call), what, handled.trace if handled is not None else ())


def _is_kept(source: Source, call: cst.Call) -> bool:
    """Whether each round's pool is kept beside those of the other rounds: they are to work at once."""
    fate = source.fate(call)
    return fate is not None and any("[]" in store.path for store in fate.stores)


def _handler(source: Source, call: cst.Call) -> RunScene | None:
    """How a web framework comes to run the code, directly or through its callers."""
    around = source.function(call)
    return next((run for run in around.runs if run.how.startswith(HANDLERS)), None) if around is not None else None


def _in_async_handler(source: Source, call: cst.Call) -> bool:
    """Whether a web framework awaits the function for each request: `@app.get("/")` over an `async def`."""
    function = source.function_node(call)
    if not isinstance(function, cst.FunctionDef) or function.asynchronous is None:
        return False
    makers = (one.decorator.func for one in function.decorators if isinstance(one.decorator, cst.Call))
    return any(name in AWAITED for maker in makers for name in source.names(maker))


def _alike_each_time(source: Source, call: cst.Call, loop: cst.For) -> bool:
    """Whether nothing about it depends on the round, and each round makes one."""
    if isinstance(loop.iter, (cst.List, cst.Tuple, cst.Set)) or _is_short(source, loop.iter):
        return False
    changing = {name for part in below(loop) for name in _bound(part)}
    if any(isinstance(part, cst.Name) and part.value in changing for arg in call.args for part in below(arg.value)):
        return False
    for outer in source.ancestors(call):
        if outer is loop:
            return True
        if isinstance(outer, CHOICES):
            return False
    return False


def _is_repetition(source: Source, loop: cst.For) -> bool:
    """`for _ in range(times)`: the same once more, as benchmarks do."""
    counts = isinstance(loop.iter, cst.Call) and source.calls(loop.iter, "builtins.range")
    return counts and isinstance(loop.target, cst.Name) and loop.target.value == "_"


def _is_short(source: Source, iterable: cst.BaseExpression) -> bool:
    """`range(3)`: a handful."""
    if not isinstance(iterable, cst.Call) or not source.calls(iterable, "builtins.range"):
        return False
    return all(isinstance(arg.value, cst.Integer) for arg in iterable.args)


def _bound(part: cst.CSTNode) -> Iterator[str]:
    if isinstance(part, (cst.For, cst.AssignTarget, cst.NamedExpr, cst.AugAssign)):
        yield from target_names(part.target)


RULE = Rule(
    code="CON114",
    name="pool-per-round",
    triggers=calls(*POOLS),
    check=check,
    examples=(
        Bad("""
            from concurrent.futures import ThreadPoolExecutor

            def convert(batches, page):
                for batch in batches:
                    with ThreadPoolExecutor(max_workers=8) as pool:  # expect: CON114
                        list(pool.map(page, batch))
            """),
        Bad("""
            from concurrent.futures import ThreadPoolExecutor
            from flask import Flask, request

            app = Flask(__name__)

            @app.route("/parts")
            def parts():
                with ThreadPoolExecutor() as pool:  # expect: CON114
                    return list(pool.map(len, request.args))
            """),
        Bad("""
            import multiprocessing as mp

            class Trainer:
                def __init__(self, workers):
                    self.workers = workers

                def train(self, rounds, games):
                    for number in range(rounds):
                        pool = mp.Pool(self.workers)  # expect: CON114
                        pool.map(print, games)
                        pool.close()
                        pool.join()
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            def convert(batches, page):
                with ThreadPoolExecutor(max_workers=8) as pool:
                    for batch in batches:
                        list(pool.map(page, batch))
            """),
        Good("""
            from concurrent.futures import BrokenExecutor, ProcessPoolExecutor

            def run(jobs):
                pool = ProcessPoolExecutor()
                for job in jobs:
                    try:
                        pool.submit(job).result()
                    except BrokenExecutor:
                        pool.shutdown()
                        pool = ProcessPoolExecutor()
                pool.shutdown()
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            def measure(jobs):
                for workers in range(1, len(jobs)):
                    with ThreadPoolExecutor(workers) as pool:
                        list(pool.map(len, jobs))
                for _ in range(3):
                    with ThreadPoolExecutor() as pool:
                        list(pool.map(len, jobs))
            """),
    ),
)
