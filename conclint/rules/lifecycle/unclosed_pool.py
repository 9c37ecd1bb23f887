"""Nobody closes this pool: its workers stay, and at exit they can hang the interpreter.

A `multiprocessing.Pool` does not end when it is forgotten. Its processes, its pipes and the three threads that
serve it stay until the collector finds them, in an order that the documentation warns of: a pool left to the
collector "can lead to the process hanging on finalization".

Use it in a `with` block, and collect all results inside: the block ends with `terminate()`, not with a wait. Or
`close()` it and `join()` it in a `finally`.

Not reported: tests; pools for the life of the process (in a global, or in an object that has no `close()` or the like
of its own), those that an owner ends anywhere in the program, and those that are returned or passed on.

The fix makes the `with` block where the results surely arrive inside it; it is applied with `--unsafe-fixes` only.
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

POOL = "multiprocessing.pool.Pool"


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.testcode import in_test
    from conclint.source.withs import into_with

    for call in source.all(cst.Call):
        if not source.calls(call, POOL, "multiprocessing.pool.ThreadPool") or in_test(source, call):
            continue
        fate = source.fate(call)
        if fate is not None and left_open(fate):
            what = f"nobody closes this pool{kept(fate)}, so its workers stay and can hang the interpreter's end"
            advice = "use it in a `with` block and collect the results inside"
            fix = into_with(source, call, waits=False)
            yield Finding(source.place(call), f"{what}; {advice}", fix=fix)


RULE = Rule(
    code="CON204",
    name="unclosed-pool",
    triggers=calls(POOL, "multiprocessing.pool.ThreadPool"),
    check=check,
    examples=(
        Bad(
            """
            import multiprocessing

            def lengths(texts):
                pool = multiprocessing.Pool(2)  # expect: CON204
                results = pool.imap(len, texts)
                total = sum(results)
                return total
            """,
            fixed="""
            import multiprocessing

            def lengths(texts):
                with multiprocessing.Pool(2) as pool:  # expect: CON204
                    results = pool.imap(len, texts)
                    total = sum(results)
                return total
            """,
        ),
        Bad(
            """
            from multiprocessing.pool import ThreadPool

            def lengths(texts):
                return ThreadPool(4).map(len, texts)  # expect: CON204
            """,
            fixed="""
            from multiprocessing.pool import ThreadPool

            def lengths(texts):
                with ThreadPool(4) as pool:
                    return pool.map(len, texts)  # expect: CON204
            """,
        ),
        Good("""
            import multiprocessing

            def lengths(texts):
                with multiprocessing.Pool(2) as pool:
                    return pool.map(len, texts)
            """),
        Good("""
            import multiprocessing

            def lengths(texts):
                pool = multiprocessing.Pool(2)
                try:
                    return pool.map(len, texts)
                finally:
                    pool.close()
                    pool.join()
            """),
        Good("""
            import contextlib
            from multiprocessing.pool import ThreadPool

            def lengths(texts):
                with contextlib.ExitStack() as stack:
                    pool = stack.enter_context(ThreadPool(4))
                    return pool.map(len, texts)
            """),
    ),
)
