"""`submit(f(x))` calls the function here and now, and the pool gets what it returned.

The caller does the work, one item after the other, before the pool hears of it. The pool is then given the result to
call: a `TypeError` in a worker, kept in a future at which often nobody looks. The program seems to work, only not at
the same time as anything else.

Pass the function itself, and its arguments behind it: `submit(f, x)`, `apply_async(f, (x,))`.

Not reported: calls that give back something to call (`functools.partial(f, x)`, a function that returns a function, an
object with `__call__`), and calls of functions that nobody can see.

The fix changes in which thread or process the function runs, so it is applied with `--unsafe-fixes` only.

See https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.Executor.submit
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.pools import GIVEN
from conclint.model import Edit, Finding, Fix
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source

EAGER = ("multiprocessing.pool.Pool.map", "multiprocessing.pool.Pool.starmap", "multiprocessing.pool.Pool.apply")
TO_THREAD, IN_EXECUTOR = "asyncio.to_thread", "asyncio.AbstractEventLoop.run_in_executor"
WORK = (*GIVEN, *EAGER)


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.makers import gives_nothing_to_call

    for call in source.all(cst.Call):
        place = 1 if source.calls(call, IN_EXECUTOR) else 0
        first = call.args[place] if len(call.args) > place else None
        if first is None or first.star or first.keyword is not None or not isinstance(first.value, cst.Call):
            continue
        if source.calls(call, *WORK, TO_THREAD, IN_EXECUTOR) and gives_nothing_to_call(source, first.value):
            name = source.code(first.value.func)
            message = f"`{name}` is called here, not by the pool, which gets its result to call"
            fix = _passed(source, call, first.value)
            yield Finding(source.place(first.value), f"{message}; pass `{name}` itself", fix=fix)


def _passed(source: Source, call: cst.Call, inner: cst.Call) -> Fix | None:
    """The function itself, and its arguments where the pool passes them on."""
    arguments = [source.code(arg).rstrip(", ") for arg in inner.args]
    if "\n" in "".join(arguments) or any(arg.star for arg in inner.args):
        return None
    name, together = source.code(inner.func), ""
    passes_on = source.calls(call, "concurrent.futures.Executor.submit", TO_THREAD) and len(call.args) == 1
    in_loop = source.calls(call, IN_EXECUTOR) and len(call.args) == 2
    if passes_on or (in_loop and not any(arg.keyword for arg in inner.args)):
        together = ", ".join([name, *arguments])
    elif source.calls(call, "multiprocessing.pool.Pool.apply_async") and not any(arg.keyword for arg in inner.args):
        if len(call.args) > 1 and call.args[1].keyword is None:
            return None  # arguments are there already
        given = f"({', '.join(arguments)}{',' if len(arguments) == 1 else ''})"
        together = f"{name}, {given}" if arguments else name
    if not together:
        return None  # which of them are the items is for the author to say
    return Fix(f"pass `{name}` itself", (Edit(source.span(inner), together),))


RULE = Rule(
    code="CON805",
    name="called-before-submit",
    triggers=calls(*WORK, TO_THREAD, IN_EXECUTOR),
    check=check,
    examples=(
        Bad(
            """
            from concurrent.futures import ThreadPoolExecutor

            def fetch(url, *, limit=None):
                print(url, limit)

            def fetch_all(urls):
                with ThreadPoolExecutor() as pool:
                    futures = [pool.submit(fetch(url, limit=9)) for url in urls]  # expect: CON805
                for future in futures:
                    future.result()
            """,
            fixed="""
            from concurrent.futures import ThreadPoolExecutor

            def fetch(url, *, limit=None):
                print(url, limit)

            def fetch_all(urls):
                with ThreadPoolExecutor() as pool:
                    futures = [pool.submit(fetch, url, limit=9) for url in urls]  # expect: CON805
                for future in futures:
                    future.result()
            """,
        ),
        Bad(
            """
            import multiprocessing as mp

            class Archive:
                def pack(self, folder):
                    print(folder)

                def begin(self, folder):
                    pool = mp.get_context("spawn").Pool(2)
                    packed = pool.apply_async(self.pack(folder), callback=print)  # expect: CON805
                    cleaned = pool.apply_async(self.pack("tmp"), ())  # expect: CON805
                    pool.close()
                    pool.join()
                    return packed.get(), cleaned.get()
            """,
            fixed="""
            import multiprocessing as mp

            class Archive:
                def pack(self, folder):
                    print(folder)

                def begin(self, folder):
                    pool = mp.get_context("spawn").Pool(2)
                    packed = pool.apply_async(self.pack, (folder,), callback=print)  # expect: CON805
                    cleaned = pool.apply_async(self.pack("tmp"), ())  # expect: CON805
                    pool.close()
                    pool.join()
                    return packed.get(), cleaned.get()
            """,
        ),
        Bad("""
            import shutil
            from concurrent import futures

            async def load(url):
                return url

            def load_all(urls):
                pool = futures.ThreadPoolExecutor(max_workers=2)
                loaded = pool.map(load("first"), urls)  # expect: CON805
                removed = pool.submit(shutil.rmtree("tmp"))  # expect: CON805
                pool.shutdown()
                return list(loaded), removed.result()
            """),
        Good("""
            import functools
            from concurrent.futures import ThreadPoolExecutor

            from elsewhere import loader

            class Fetcher:
                def __init__(self, limit):
                    self.limit = limit

                def __call__(self, url):
                    return url[:self.limit]

            def make_fetcher(limit):
                def fetch(url):
                    return url[:limit]
                return fetch

            def fetch_all(pool: ThreadPoolExecutor, urls):
                yield from pool.map(make_fetcher(5), urls)
                yield from pool.map(Fetcher(5), urls)
                yield pool.submit(loader(5), urls[0])
                yield pool.submit(functools.partial(print, urls[0]))
                yield pool.submit(lambda: print(urls[0]))
            """),
        Good("""
            from elsewhere import client

            def work(x):
                print(x)

            def run():
                return client.submit(work(1)).result()
            """),
    ),
)
