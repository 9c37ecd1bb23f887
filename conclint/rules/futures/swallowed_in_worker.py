"""This worker catches every exception and says nothing, so its future looks like success.

A future carries the exception of its work to whoever asks for the result. `except Exception: pass` around the work
takes that away: the caller gets `None`, whatever went wrong, a misspelled name as well as a full disk, and `map` goes
on as if the item had been done.

Let the exception pass, and handle it where `result()` is asked for; or catch only what is expected; or log it.

Not reported: handlers that log, keep, count or answer in any way, that return a value (also an explicit `None`), or
in which a comment says why; work that only ends something; tests; and code that no pool runs.

See https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.Future.result
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.index.facts import Kind
from conclint.knowledge.kinds import Context
from conclint.knowledge.pools import LAST, POOL_METHODS
from conclint.model import Finding
from conclint.program.triggers import outline
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.paths import path_of
from conclint.source.questions import tells

if TYPE_CHECKING:
    from conclint.program.scene import RunScene
    from conclint.source.source import Source

SUPPRESS = "contextlib.suppress"
EVERYTHING = frozenset({"Exception", "BaseException"})
COMMENT = re.compile(r"#(?!\s*(?:noqa|pylint|pragma|nosec|type:|ruff))")
WORKERS = (Context.THREAD, Context.PROCESS)


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.testcode import in_test

    found: list[cst.ExceptHandler | cst.With] = [
        one for one in source.all(cst.ExceptHandler) if _catches_everything(one) and _says_nothing(one)
    ]
    for one in (*found, *_suppressing(source)):
        function, run = source.function_node(one), _run_by_pool(source, one)
        if run is None or not isinstance(function, cst.FunctionDef) or _says_why(source, one) or in_test(source, one):
            continue
        if _is_the_work(source, one, function):
            message = "every exception of this work ends here, and whoever waits for it takes it for done"
            advice = "let it pass, so that the future carries it, or log it"
            yield Finding(source.place(one), f"{message}; {advice}", notes=run.trace)


def _suppressing(source: Source) -> Iterator[cst.With]:
    """`with suppress(Exception):` around all that a worker does."""
    for block in source.all(cst.With):
        call = block.items[0].item
        if len(block.items) != 1 or not isinstance(call, cst.Call) or not source.calls(call, SUPPRESS):
            continue
        if any(path_of(arg.value) in EVERYTHING for arg in call.args):
            yield block


def _catches_everything(handler: cst.ExceptHandler) -> bool:
    kinds = [one.value for one in handler.type.elements] if isinstance(handler.type, cst.Tuple) else [handler.type]
    return any(kind is None or path_of(kind) in EVERYTHING for kind in kinds)


def _says_nothing(handler: cst.ExceptHandler) -> bool:
    small = [
        part
        for line in handler.body.body
        for part in (line.body if isinstance(line, cst.SimpleStatementLine) else [line])
    ]
    return all(
        isinstance(one, (cst.Pass, cst.Continue)) or (isinstance(one, cst.Return) and one.value is None)
        for one in small
    )


def _says_why(source: Source, handler: cst.ExceptHandler | cst.With) -> bool:
    """Whether a comment stands in it, other than one for a tool."""
    span = source.span(handler)
    return any(COMMENT.search(line) for line in source.text.lines[span.line : span.end_line])


def _run_by_pool(source: Source, handler: cst.CSTNode) -> RunScene | None:
    """How a pool comes to run the function itself."""
    function = source.function(handler)
    runs = function.runs_in(*WORKERS) if function is not None else ()
    return next((run for run in runs if run.how in POOL_METHODS and len(run.trace) == 1), None)


def _is_the_work(source: Source, handler: cst.ExceptHandler | cst.With, function: cst.FunctionDef) -> bool:
    """Whether it stands around what the function does in the end, and that is more than tidying up."""
    tried = handler if isinstance(handler, cst.With) else source.parent(handler)
    if not isinstance(tried, (cst.Try, cst.With)) or _only_ends(tried.body) or function.name.value.strip("_") in LAST:
        return False
    node: cst.CSTNode = tried
    for outer in source.ancestors(tried):
        if outer is function.body:
            return outer.body[-1] is node and not any(_works(one) for one in outer.body[:-1])
        if isinstance(outer, cst.IndentedBlock) and outer.body[-1] is not node:
            return False
        if not isinstance(outer, (cst.IndentedBlock, cst.For, cst.While, cst.With)):
            return False
        node = outer if not isinstance(outer, cst.IndentedBlock) else node
    return False


def _only_ends(block: cst.BaseSuite) -> bool:
    from conclint.source.tree import below

    called = {path_of(node.func).rpartition(".")[2] for node in below(block) if isinstance(node, cst.Call)}
    return called <= LAST


def _works(statement: cst.CSTNode) -> bool:
    """Whether a statement that stands before the `try` is work itself, not a preparation: `extract(archive)`."""
    line = statement.body if isinstance(statement, cst.SimpleStatementLine) else ()
    calls = [small.value for small in line if isinstance(small, cst.Expr) and isinstance(small.value, cst.Call)]
    return any(not tells(call) for call in calls)


RULE = Rule(
    code="CON812",
    name="swallowed-in-worker",
    triggers=outline(Kind.SWALLOWS, runs_in=WORKERS),
    check=check,
    examples=(
        Bad("""
            import shutil
            from concurrent.futures import ThreadPoolExecutor

            def copy(path):
                try:
                    return shutil.copy(path, "/backup")
                except Exception:  # expect: CON812
                    pass

            def copy_all(paths):
                with ThreadPoolExecutor() as pool:
                    return list(pool.map(copy, paths))
            """),
        Bad("""
            import concurrent.futures as cf
            import shutil

            class Backup:
                def __init__(self, paths):
                    self.paths = paths

                def _copy(self, path):
                    target = "/backup"
                    for _ in range(3):
                        try:
                            shutil.copy(path, target)
                            return
                        except:  # expect: CON812
                            continue

                def run(self):
                    with cf.ProcessPoolExecutor() as pool:
                        futures = [pool.submit(self._copy, path) for path in self.paths]
                        for future in cf.as_completed(futures):
                            future.result()
            """),
        Bad("""
            import multiprocessing
            import shutil

            def copy(path):
                with open(path) as source:
                    try:
                        shutil.copyfileobj(source, open("/backup", "a"))
                    except (OSError, Exception):  # expect: CON812
                        return

            def copy_all(paths):
                with multiprocessing.Pool() as pool:
                    pool.map(copy, paths)
            """),
        Good("""
            import logging
            import shutil
            from concurrent.futures import ThreadPoolExecutor

            def copy(path):
                try:
                    return shutil.copy(path, "/backup")
                except Exception:
                    logging.exception("cannot copy %s", path)

            def size(path):
                try:
                    return len(path)
                except Exception:
                    return None

            def warm(path):
                try:
                    open(path).close()
                except Exception:
                    pass  # only to have it in the cache

            def copy_known(path):
                try:
                    return shutil.copy(path, "/backup")
                except FileNotFoundError:
                    pass

            def copy_all(paths):
                with ThreadPoolExecutor() as pool:
                    for work in (copy, size, warm, copy_known):
                        print(list(pool.map(copy, paths)), list(pool.map(size, paths)))
                        print(list(pool.map(warm, paths)), list(pool.map(copy_known, paths)))
            """),
        Good("""
            import shutil
            from concurrent.futures import ThreadPoolExecutor

            def copy(path):
                try:
                    shutil.copy(path, "/backup")
                except Exception:
                    pass

            def disconnect(client):
                try:
                    client.disconnect()
                except Exception:
                    pass

            def close_all(clients):
                copy("log")
                with ThreadPoolExecutor() as pool:
                    list(pool.map(disconnect, clients))
            """),
    ),
)
