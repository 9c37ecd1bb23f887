"""`submit(f).result()` waits for each call before the next one begins, so the pool's workers take turns.

`result()` blocks until the call is done. In a loop that means: one worker works, the others wait, and so does the
caller. The pool costs its threads or processes, the handing over of every argument, and nothing runs at the same time.

Submit everything first and ask for the results afterwards, which is what `map` does: `pool.map(f, xs)`.

Not reported: pools with one worker, or with a fresh process for each call, which run the work there on purpose (a
connection or a window that belongs to one thread, memory that is given back), and pools of which that is not known;
`result(timeout)`; loops whose rounds need what an earlier one brought, that try again, or that end when they have
found something; `while` loops, which do not know their items beforehand; and tests.

With `map` all calls begin at once, and those behind one that fails have begun too, so the fix is applied with
`--unsafe-fixes` only.

See https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.Executor.map
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.pools import SUBMITTED
from conclint.model import Finding, Fix
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.paths import path_of

if TYPE_CHECKING:
    from conclint.source.futures import Given
    from conclint.source.source import Source

LOOPS = (cst.For, cst.ListComp, cst.SetComp, cst.DictComp)


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.futures import maker, one_worker
    from conclint.source.testcode import in_test

    for call in source.all(cst.Call):
        submitted = _awaited_at_once(source, call)
        loop = source.loop(submitted.call) if submitted is not None else None
        if submitted is None or not isinstance(loop, LOOPS) or _taking_turns(submitted, loop):
            continue
        made = maker(source, submitted.pool)
        if made is not None and not one_worker(source, made) and not in_test(source, call):
            message = "each result is waited for before the next call begins, so the pool's workers take turns"
            place, fix = source.place(call), _mapped(source, submitted, call, loop)
            yield Finding(place, f"{message}; submit all first, or use `map`", fix=fix)


def _awaited_at_once(source: Source, call: cst.Call) -> Given | None:
    """The submission whose result the call waits for, where nothing else begins in between."""
    from conclint.source.futures import future_of, given

    func = call.func
    if not isinstance(func, cst.Attribute) or func.attr.value != "result" or call.args:
        return None
    found = future_of(source, func.value)
    if found is None or found.call is func.value:
        return found
    loop, block = source.loop(found.call), source.parent(source.statement(found.call))
    beside = [one for one in given(source) if source.loop(one.call) is loop]
    if len(beside) > 1 or not isinstance(block, cst.IndentedBlock):
        return None  # the other works meanwhile
    following = [one for one in block.body if source.sequence(one) > source.sequence(found.call)]
    return found if following[:1] == [source.statement(call)] else None


def _taking_turns(submitted: Given, loop: cst.CSTNode) -> bool:
    """Whether the rounds of the loop cannot run at the same time anyway, or are the same over and over again."""
    from conclint.source.rounds import dependent, items
    from conclint.source.tree import below

    args = [arg.value for arg in submitted.call.args]
    if not args or dependent(loop, submitted.pool, ()):
        return True
    used = {part.value for arg in args for part in below(arg) if isinstance(part, cst.Name)}
    return not used & items(loop) or dependent(loop, submitted.pool, args)


def _mapped(source: Source, submitted: Given, call: cst.Call, loop: cst.CSTNode) -> Fix | None:
    """`[pool.submit(f, x).result() for x in xs]` as `list(pool.map(f, xs))`."""
    args = submitted.call.args
    if not isinstance(loop, cst.ListComp) or loop.elt is not call or len(args) != 2 or any(arg.star for arg in args):
        return None
    clause = loop.for_in
    alone = clause.inner_for_in is None and not clause.ifs and clause.asynchronous is None
    item = clause.target.value if isinstance(clause.target, cst.Name) else ""
    if not alone or path_of(args[1].value) != item or args[1].keyword is not None or args[0].keyword is not None:
        return None
    pool, function, items = (source.code(part) for part in (submitted.pool, args[0].value, clause.iter))
    edit = source.replace(loop, f"list({pool}.map({function}, {items}))")
    return Fix("`map` instead of one `submit` after the other", (edit,))


RULE = Rule(
    code="CON803",
    name="submit-then-result",
    triggers=calls(*SUBMITTED),
    check=check,
    examples=(
        Bad(
            """
            from concurrent.futures import ThreadPoolExecutor

            def sizes(size, urls):
                with ThreadPoolExecutor() as pool:
                    return [pool.submit(size, url).result() for url in urls]  # expect: CON803
            """,
            fixed="""
            from concurrent.futures import ThreadPoolExecutor

            def sizes(size, urls):
                with ThreadPoolExecutor() as pool:
                    return list(pool.map(size, urls))  # expect: CON803
            """,
        ),
        Bad("""
            import concurrent.futures as cf

            def sizes(size, urls):
                found = []
                pool = cf.ProcessPoolExecutor(max_workers=4)
                for number, url in enumerate(urls):
                    future = pool.submit(size, url)
                    found.append((number, future.result()))  # expect: CON803
                pool.shutdown()
                return found
            """),
        Bad("""
            from concurrent.futures import ThreadPoolExecutor

            class Sizes:
                def __init__(self, size):
                    self.size = size
                    self.pool = ThreadPoolExecutor(8)

                def close(self):
                    self.pool.shutdown()

                def all(self, urls):
                    return {url: self.pool.submit(self.size, url).result() for url in urls}  # expect: CON803
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            def sizes(size, urls):
                with ThreadPoolExecutor() as pool:
                    futures = [pool.submit(size, url) for url in urls]
                    return [future.result() for future in futures]
            """),
        Good("""
            from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor

            def clean(work, items):
                with ProcessPoolExecutor(max_workers=2, max_tasks_per_child=1) as pool:
                    return [pool.submit(work, item).result() for item in items]

            def rows(connection, queries, executor: Executor):
                with ThreadPoolExecutor(max_workers=1) as pool:
                    for query in queries:
                        yield pool.submit(connection.execute, query).result()
                        print(executor.submit(connection.execute, query).result())
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            def walk(step, start, sizes):
                with ThreadPoolExecutor() as pool:
                    for size in sizes:
                        start = pool.submit(step, start, size).result()
                    for attempt in range(3):
                        try:
                            return pool.submit(step, start, 0).result()
                        except OSError:
                            print(attempt)
                    for size in sizes:
                        print(pool.submit(step, start, size).result(timeout=5))
                    for size in sizes:
                        one = pool.submit(step, start, size)
                        two = pool.submit(step, start, -size)
                        print(one.result(), two.result())
                    return pool.submit(step, start, 1).result()
            """),
    ),
)
