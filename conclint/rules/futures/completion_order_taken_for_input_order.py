"""`as_completed` and `imap_unordered` give results in the order in which they are ready, not in that of the inputs.

Paired with the inputs by position, most results meet the wrong input. On a quiet machine and with few items the orders
often agree, so tests pass; under load they do not, and nothing fails: the data is just wrong.

Use `map` (or `imap`), which keep the order; or remember which future belongs to which input, in a dictionary
`{pool.submit(f, x): x for x in xs}`; or let the work return its input beside the result.

The same holds for a list to which the workers themselves add what they have found.

Not reported: pairs of futures or results with a count; results whose order nobody looks at, or that are sorted.

See https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.as_completed
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.model import Edit, Finding, Fix
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source

UNORDERED = "multiprocessing.pool.Pool.imap_unordered"
WORKERS = ("concurrent.futures.Executor.map", "concurrent.futures.Executor.submit", "threading.Thread")
COMPLETED = ("concurrent.futures.as_completed", "asyncio.as_completed")


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.ready import filled_by_workers, paired

    for call in source.all(cst.Call):
        if filled_by_workers(source, call):
            message = "the workers have added what was ready first, and here it is paired with the inputs by position"
            yield Finding(source.place(call), f"{message}; use `map`, or let each worker say which input it had")
        if not source.calls(call, UNORDERED, *COMPLETED):
            continue
        where = paired(source, call)
        if where is not None:
            name = source.code(call.func).rpartition(".")[2]
            message = f"`{name}` gives what is ready first, and here it is paired with the inputs by position"
            advice = "use `map`" if name != "as_completed" else "keep each future with its input in a dictionary"
            yield Finding(source.place(where), f"{message}; {advice}", fix=_in_order(source, call))


def _in_order(source: Source, call: cst.Call) -> Fix | None:
    if not source.calls(call, UNORDERED) or not isinstance(call.func, cst.Attribute):
        return None
    return Fix("`imap` keeps the order", (Edit(source.span(call.func.attr), "imap"),))


RULE = Rule(
    code="CON814",
    name="completion-order-taken-for-input-order",
    triggers=calls(UNORDERED, *COMPLETED, *WORKERS),
    check=check,
    examples=(
        Bad("""
            from concurrent.futures import ThreadPoolExecutor, as_completed

            def sizes(size, urls):
                with ThreadPoolExecutor() as pool:
                    futures = [pool.submit(size, url) for url in urls]
                    for url, future in zip(urls, as_completed(futures)):  # expect: CON814
                        print(url, future.result())
            """),
        Bad(
            """
            import multiprocessing as mp

            def sizes(size, urls):
                with mp.Pool() as pool:
                    found = [None] * len(urls)
                    for number, one in enumerate(pool.imap_unordered(size, urls)):  # expect: CON814
                        found[number] = one
                    more = list(pool.imap_unordered(size, urls))
                return found, dict(zip(urls, more))  # expect: CON814
            """,
            fixed="""
            import multiprocessing as mp

            def sizes(size, urls):
                with mp.Pool() as pool:
                    found = [None] * len(urls)
                    for number, one in enumerate(pool.imap(size, urls)):  # expect: CON814
                        found[number] = one
                    more = list(pool.imap(size, urls))
                return found, dict(zip(urls, more))  # expect: CON814
            """,
        ),
        Bad("""
            import concurrent.futures

            def sizes(pool: concurrent.futures.Executor, size, urls):
                futures = {pool.submit(size, url) for url in urls}
                found = []
                for future in concurrent.futures.as_completed(futures):
                    found.append(future.result())
                for url, one in zip(urls, found):  # expect: CON814
                    print(url, one)
            """),
        Bad("""
            from concurrent.futures import ThreadPoolExecutor

            def sizes(size, urls):
                found = []

                def add(url):
                    found.append(size(url))

                with ThreadPoolExecutor() as pool:
                    list(pool.map(add, urls))
                return dict(zip(urls, found))  # expect: CON814
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            def sizes(size, urls):
                found, pairs = [], []

                def add(url):
                    found.append(size(url))
                    pairs.append((url, size(url)))

                with ThreadPoolExecutor() as pool:
                    list(pool.map(add, urls))
                found.sort()
                for (url, one), more in zip(pairs, urls):
                    print(url, one, more)
                return dict(zip(urls, found))
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor, as_completed

            def sizes(size, urls):
                with ThreadPoolExecutor() as pool:
                    futures = {pool.submit(size, url): url for url in urls}
                    for future in as_completed(futures):
                        print(futures[future], future.result())
                    for url, one in zip(urls, pool.map(size, urls)):
                        print(url, one)
                    for number, future in enumerate(as_completed(futures), start=1):
                        print(number, "of", len(urls), future.result())
            """),
        Good("""
            import itertools
            import multiprocessing

            def sizes(size, urls):
                with multiprocessing.Pool() as pool:
                    for number, one in zip(itertools.count(), pool.imap_unordered(size, urls)):
                        print(number, one)
                    found = list(pool.imap_unordered(size, urls))
                    found.sort()
                    names = sorted(pool.imap_unordered(size, urls))
                    texts, lengths = [], []
                    for text in pool.imap_unordered(size, urls):
                        texts.append(text)
                        lengths.append(len(text))
                    print(dict(zip(texts, lengths)))
                return list(zip(urls, found)), list(zip(urls, names)), max(found)
            """),
    ),
)
