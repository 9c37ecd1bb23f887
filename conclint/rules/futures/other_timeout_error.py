"""Before Python 3.11 `except TimeoutError` does not catch the `TimeoutError` of a future.

`concurrent.futures.TimeoutError`, `asyncio.TimeoutError` and the built-in one are three classes up to Python 3.10, and
one since 3.11. A handler for the wrong one lets the exception pass, on just those machines that still have the older
version: what was to be "too slow, try again" ends the program.

Catch the one that the waiting call raises: `concurrent.futures.TimeoutError` for futures and `as_completed`,
`asyncio.TimeoutError` for `asyncio.wait_for`.

Not reported: projects whose `target-version` or `requires-python` is 3.11 or later.

Off by default: most programs that do not say for which versions they are written never meet 3.10.

See https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.TimeoutError
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.pools import FUTURE
from conclint.model import Edit, Finding, Fix, Safety
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.paths import path_of

if TYPE_CHECKING:
    from conclint.source.source import Source

BUILTIN = "builtins.TimeoutError"
KINDS = {"concurrent.futures": "concurrent.futures.TimeoutError", "asyncio": "asyncio.TimeoutError"}
WAITS = {
    f"{FUTURE}.result": "concurrent.futures",
    f"{FUTURE}.exception": "concurrent.futures",
    "concurrent.futures.as_completed": "concurrent.futures",
    "asyncio.wait_for": "asyncio",
}
EVERYTHING = frozenset({"builtins.Exception", "builtins.BaseException"})
SAME_SINCE = (3, 11)


def check(source: Source) -> Iterator[Finding]:
    if source.scene.target_version >= SAME_SINCE:
        return
    for tried in source.all(cst.Try):
        module = next(_raised(source, tried), "")
        caught = [(kind, source.names(kind)) for handler in tried.handlers for kind in _kinds(handler)]
        right = {KINDS.get(module, ""), *EVERYTHING}
        if not module or any(right & {*names} for _, names in caught):
            continue
        for kind, names in caught:
            if {BUILTIN, *KINDS.values()} & {*names}:
                message = f"before Python 3.11 this is not the `{KINDS[module]}` that is raised here"
                fix = _right(source, kind, module)
                yield Finding(source.place(kind), f"{message}; catch that one", fix=fix)


def _kinds(handler: cst.ExceptHandler) -> list[cst.BaseExpression]:
    if isinstance(handler.type, cst.Tuple):
        return [one.value for one in handler.type.elements]
    return [handler.type] if handler.type is not None else []


def _raised(source: Source, tried: cst.Try) -> Iterator[str]:
    """Whose `TimeoutError` the body raises, by its own calls."""
    from conclint.source.tree import below

    for node in below(tried.body):
        if isinstance(node, cst.Call) and source.function_node(node) is source.function_node(tried):
            name = next((one for one in source.names(node.func) if one in WAITS), "")
            limited = source.argument(node, "timeout", 0 if name.startswith(FUTURE) else 1)
            if name and limited is not None and path_of(limited.value) != "None":
                yield WAITS[name]


def _right(source: Source, kind: cst.BaseExpression, module: str) -> Fix | None:
    from conclint.source.edits import imported

    found = imported(source, module, "")
    if found is None:
        return None
    spelled = f"{found.spelled}.TimeoutError"
    return Fix(f"catch `{spelled}`", (*found.edits, Edit(source.span(kind), spelled)), Safety.UNSAFE)


RULE = Rule(
    code="CON811",
    name="other-timeout-error",
    triggers=calls(*WAITS),
    check=check,
    default=False,
    examples=(
        Bad(
            """
            import concurrent.futures

            def load(pool: concurrent.futures.Executor, source):
                future = pool.submit(source.read)
                try:
                    return future.result(timeout=5)
                except TimeoutError:  # expect: CON811
                    return None
            """,
            fixed="""
            import concurrent.futures

            def load(pool: concurrent.futures.Executor, source):
                future = pool.submit(source.read)
                try:
                    return future.result(timeout=5)
                except concurrent.futures.TimeoutError:  # expect: CON811
                    return None
            """,
        ),
        Bad("""
            import asyncio
            from concurrent import futures

            async def load(source):
                try:
                    return await asyncio.wait_for(source.read(), 5)
                except (OSError, TimeoutError):  # expect: CON811
                    return None

            def load_from_thread(source, loop):
                try:
                    return asyncio.run_coroutine_threadsafe(load(source), loop).result(5)
                except asyncio.TimeoutError:  # expect: CON811
                    return None
            """),
        Bad("""
            from concurrent.futures import as_completed

            def first(futures):
                try:
                    for future in as_completed(futures, timeout=5):
                        return future.result()
                except TimeoutError:  # expect: CON811
                    return None
            """),
        Good("""
            import asyncio
            import concurrent.futures
            from concurrent.futures import TimeoutError as TooSlow

            def load(pool: concurrent.futures.Executor, source, connection):
                future = pool.submit(source.read)
                try:
                    return future.result(timeout=5)
                except TooSlow:
                    pass
                try:
                    return future.result(timeout=5)
                except (TimeoutError, concurrent.futures.TimeoutError):
                    pass
                try:
                    return future.result()
                except TimeoutError:
                    pass
                try:
                    return connection.read(timeout=5)
                except TimeoutError:
                    pass

            async def load_here(source):
                try:
                    return await asyncio.wait_for(source.read(), 5)
                except asyncio.TimeoutError:
                    return None
            """),
    ),
)
