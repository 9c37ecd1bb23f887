"""These results are asked for after the pool's `with` block, which has ended the workers that were to make them.

The end of `with Pool() as pool:` is `terminate()`, not a wait. What `apply_async`, `map_async` or `imap` has begun is
killed wherever it is, and `get()` or a loop over the iterator then waits for ever for results that nobody makes. (The
block of a `ThreadPoolExecutor` waits, which is why the two are so easily taken for one another.)

Collect the results inside the block: call `get()` there, or use `map`, which waits. Or end the block with
`pool.close()` and `pool.join()`.

Not reported: blocks in which somebody waits, in whatever way; results that are passed on inside the block; and results
that nobody ever asks for, which is CON612.

The fix lets the block wait; it is applied with `--unsafe-fixes` only.

See https://docs.python.org/3/library/multiprocessing.html#multiprocessing.pool.Pool.terminate
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.pools import LATER, Gives
from conclint.model import Edit, Finding, Fix, Note, Span
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.paths import path_of

if TYPE_CHECKING:
    from conclint.source.futures import Given
    from conclint.source.source import Source

WAITS = frozenset({"join", "close"})


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.futures import given

    for one in given(source):
        block = _block(source, one) if one.gives in (Gives.ANSWER, Gives.STREAM) else None
        asked = _asked_outside(source, one, block) if block is not None else None
        if block is None or asked is None:
            continue
        pool = source.code(one.pool)
        message = f"the end of the block terminates `{pool}`, and these results are asked for only after it"
        advice = f"collect them inside, or end the block with `{pool}.close()` and `{pool}.join()`"
        notes = () if asked is one.call else (Note(source.place(asked), "they are asked for here"),)
        yield Finding(source.place(one.call), f"{message}; {advice}", notes, _waiting(source, pool, block))


def _block(source: Source, one: Given) -> cst.With | None:
    """The `with` block of the pool, where nothing in it waits for the pool."""
    pool = path_of(one.pool)
    for outer in source.ancestors(one.call):
        if isinstance(outer, cst.With):
            named = [path_of(item.asname.name) for item in outer.items if item.asname is not None]
            if pool in named:
                return None if _waits(outer, pool) else outer
        if isinstance(outer, (cst.FunctionDef, cst.Lambda)):
            return None
    return None


def _waits(block: cst.With, pool: str) -> bool:
    from conclint.source.tree import below

    ends = {f"{pool}.{name}" for name in WAITS}
    return any(isinstance(node, cst.Call) and path_of(node.func) in ends for node in below(block.body))


def _asked_outside(source: Source, one: Given, block: cst.With) -> cst.CSTNode | None:
    """Where somebody asks for the results, if that is after the block and only there."""
    from conclint.source.tree import below
    from conclint.source.variables import added_to, bound_to, only_fills, reads

    if isinstance(source.parent(one.call), cst.Return):
        return one.call
    name = bound_to(source, one.call) or added_to(source, one.call)
    if name is None:
        return None
    inside = {id(node) for node in below(block)}
    asked = [read for read in reads(source, name) if not only_fills(source, read)]
    outside = [read for read in asked if id(read) not in inside]
    return outside[0] if outside and len(outside) == len(asked) and name is not asked[0] else None


def _waiting(source: Source, pool: str, block: cst.With) -> Fix | None:
    from conclint.source.edits import lines_of

    body = block.body
    if not isinstance(body, cst.IndentedBlock) or isinstance(body.body[-1], cst.BaseCompoundStatement):
        return None
    if any(isinstance(part, cst.Return) for line in body.body[-1:] for part in getattr(line, "body", ())):
        return None  # what is returned would have to be collected
    indent = source.indent(body.body[-1])
    end = lines_of(source, body.body[-1], body.body[-1])
    at = Span(end.end_line, end.end_column, end.end_line, end.end_column)
    return Fix("wait for the workers", (Edit(at, f"\n{indent}{pool}.close()\n{indent}{pool}.join()"),))


RULE = Rule(
    code="CON205",
    name="results-after-pool",
    triggers=calls(*LATER),
    check=check,
    examples=(
        Bad(
            """
            import multiprocessing

            def sizes(size, paths):
                with multiprocessing.Pool() as pool:
                    result = pool.map_async(size, paths)  # expect: CON205
                    print("begun")  # and on
                return result.get()
            """,
            fixed="""
            import multiprocessing

            def sizes(size, paths):
                with multiprocessing.Pool() as pool:
                    result = pool.map_async(size, paths)  # expect: CON205
                    print("begun")  # and on
                    pool.close()
                    pool.join()
                return result.get()
            """,
        ),
        Bad("""
            import multiprocessing as mp
            from multiprocessing.pool import ThreadPool

            def sizes(size, paths):
                with mp.get_context("spawn").Pool(4) as workers:
                    results = [workers.apply_async(size, (path,)) for path in paths]  # expect: CON205
                for result in results:
                    print(result.get())
                with ThreadPool(4) as threads:
                    found = threads.imap(size, paths)  # expect: CON205
                return list(found)
            """),
        Bad("""
            from multiprocessing import Pool

            def sizes(size, paths):
                with Pool() as pool:
                    if paths:
                        return pool.imap_unordered(size, paths)  # expect: CON205
                    results = []
                    for path in paths:
                        results.append(pool.apply_async(size, [path]))  # expect: CON205
                return [result.get(timeout=5) for result in results]
            """),
        Good("""
            from multiprocessing import Pool

            def sizes(size, paths):
                with Pool() as pool:
                    result = pool.map_async(size, paths)
                    found = result.get()
                    more = pool.imap(size, paths)
                    for one in more:
                        found.append(one)
                return found, result.successful()
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor
            from multiprocessing import Pool

            def sizes(size, paths, watch):
                with Pool() as pool:
                    result = pool.map_async(size, paths)
                    watched = pool.map_async(size, paths)
                    pool.close()
                    pool.join()
                with Pool() as pool:
                    watched = pool.map_async(size, paths)
                    watch(watched)
                with ThreadPoolExecutor() as executor:
                    future = executor.submit(size, paths)
                    found = executor.map(size, paths)
                return result.get(), watched.get(), future.result(), list(found)
            """),
    ),
)
