"""Nobody shuts this executor down: its workers idle until the process ends, or until the collector comes round.

An executor keeps its threads or processes for the next job. Without `shutdown()` they stay after the last one, an
exception on the way leaves the rest of the queue running unseen, and a function that makes an executor per call
piles them up.

Use it in a `with` block, which waits for the jobs and ends the workers; or call `shutdown()` where its owner ends.

Not reported: tests; executors for the life of the process (in a global, or in an object that has no `close()` or the
like of its own), those that an owner ends anywhere in the program, and those that are returned, passed on or given to
an event loop.  Those of one function are shown to those who select CON203 where it hands on the futures, which no block
could wait for, where it serves for ever, and where it is what the whole program does (`main()`).

The fix makes the `with` block, up to the last use. It waits at the end of the block, also when nobody waited
before: it is applied with `--unsafe-fixes` only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.model import Finding
from conclint.program.left import kept, left_open
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source

EXECUTORS = (
    "concurrent.futures.ThreadPoolExecutor",
    "concurrent.futures.ProcessPoolExecutor",
    "concurrent.futures.InterpreterPoolExecutor",
)


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.beyond import handed_on, serves
    from conclint.source.testcode import in_test
    from conclint.source.withs import into_with

    for call in source.all(cst.Call):
        if not source.calls(call, *EXECUTORS) or in_test(source, call):
            continue
        fate = source.fate(call)
        if fate is not None and left_open(fate):
            local = not any(store.sort == "attribute" for store in fate.stores)
            end = "its workers are left to the collector" if local else "its workers stay"
            what = f"nobody shuts this executor down{kept(fate)}, and {end}"
            fix = into_with(source, call, waits=True)
            meant = local and (fate.once or handed_on(source, call) or serves(source, call))
            yield Finding(
                source.place(call), f"{what}; use it in a `with` block or `shutdown()` it", fix=fix, when_asked=meant
            )


RULE = Rule(
    code="CON203",
    name="unclosed-executor",
    triggers=calls(*EXECUTORS),
    check=check,
    examples=(
        Bad(
            """
            from concurrent.futures import ThreadPoolExecutor

            def sizes(paths):
                pool = ThreadPoolExecutor(max_workers=8)  # expect: CON203
                # All at once
                found = list(pool.map(len, paths))
                return found
            """,
            fixed="""
            from concurrent.futures import ThreadPoolExecutor

            def sizes(paths):
                with ThreadPoolExecutor(max_workers=8) as pool:  # expect: CON203
                    # All at once
                    found = list(pool.map(len, paths))
                return found
            """,
        ),
        Bad("""
            from concurrent.futures import ProcessPoolExecutor

            class Renderer:
                def __init__(self):
                    self._pool = ProcessPoolExecutor()  # expect: CON203
                    self._closed = False

                def render(self, page):
                    return self._pool.submit(str, page)

                def close(self):
                    self._closed = True
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            def sizes(paths):
                with ThreadPoolExecutor(max_workers=8) as pool:
                    return list(pool.map(len, paths))
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            POOL = ThreadPoolExecutor(max_workers=8)

            def sizes(paths):
                return list(POOL.map(len, paths))
            """),
        Good("""
            import contextlib
            from concurrent.futures import ProcessPoolExecutor

            class Renderer:
                def __init__(self):
                    self._ends = contextlib.ExitStack()
                    pool = ProcessPoolExecutor()
                    self._ends.callback(pool.shutdown)
                    self._pool = pool

                def render(self, page):
                    return self._pool.submit(str, page)

                def close(self):
                    self._ends.close()
            """),
    ),
)
