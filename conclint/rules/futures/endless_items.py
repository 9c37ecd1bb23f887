"""`Executor.map` takes all items before it gives the first result: an endless iterable never gives one.

`map` calls `submit` for each item at once and then returns. With `itertools.count()`, a generator that never ends, or
lines from standard input it goes on submitting until the memory is full, or until somebody closes the input. With a
file the whole file is in the queue before the first line's result comes out.

Give it a part at a time, `itertools.batched(lines, 1000)`, or keep a bounded number of futures under way with
`wait(…, return_when=FIRST_COMPLETED)`. From Python 3.14 on, `map(…, buffersize=64)` does that.

Not reported: an endless iterable beside one that ends, since `map` ends with the shortest; iterables whose length
cannot be seen; and calls with `buffersize`.

See https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.Executor.map
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.model import Finding
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source

MAP = "concurrent.futures.Executor.map"

ENDLESS = frozenset({"itertools.count", "itertools.cycle"})
OPENED = "io.IOBase"

# They go as far as this argument of theirs goes, and read it as slowly.
THROUGH = {
    **dict.fromkeys(("builtins.enumerate", "builtins.iter", "csv.reader", "csv.DictReader"), 0),
    **dict.fromkeys(("builtins.map", "builtins.filter", "itertools.starmap", "itertools.filterfalse"), 1),
}


def check(source: Source) -> Iterator[Finding]:
    for call in source.all(cst.Call):
        if not source.calls(call, MAP) or source.argument(call, "buffersize") is not None:
            continue
        items = [arg for arg in call.args[1:] if arg.keyword is None]
        kinds = [_kind(source, arg.value) for arg in items if not arg.star]
        if len(kinds) == len(items) and kinds and all(kinds):
            what = f"`map` submits everything before it gives the first result, and {kinds[0]}"
            yield Finding(source.place(call), f"{what}; give it a part at a time")


def _kind(source: Source, items: cst.BaseExpression) -> str:
    """What is wrong with the items, in words; "" where nothing is known to be."""
    if isinstance(items, cst.Call):
        names = source.names(items.func)
        once = "itertools.repeat" in names and len(items.args) == 1
        callable_iter = "builtins.iter" in names and len(items.args) == 2
        if ENDLESS & {*names} or once or _never_ends(source, items):
            return f"`{source.code(items)}` never ends"
        if callable_iter:
            return f"`{source.code(items)}` ends when it likes"
        through = next((THROUGH[name] for name in names if name in THROUGH), None)
        if through is not None and len(items.args) > through:
            return _kind(source, items.args[through].value)
    if isinstance(items, cst.GeneratorExp):
        return _kind(source, items.for_in.iter)
    types = source.types(items)
    if "sys.stdin" in source.names(items) or ("io.TextIOWrapper" in types and source.code(items) == "sys.stdin"):
        return "standard input ends when somebody closes it"
    return f"`{source.code(items)}` is read to its end for that" if OPENED in types else ""


def _never_ends(source: Source, call: cst.Call) -> bool:
    """Whether it calls a generator of this file that never ends."""
    found = source.named(call.func).functions
    return bool(found) and all(one in source.scene.unending for one in found)


RULE = Rule(
    code="CON810",
    name="endless-items",
    triggers=calls(MAP),
    check=check,
    examples=(
        Bad("""
            from concurrent.futures import ThreadPoolExecutor

            def parse_all(parse, path):
                with ThreadPoolExecutor() as pool, open(path) as lines:
                    for row in pool.map(parse, lines):  # expect: CON810
                        print(row)
                    return list(pool.map(parse, open(path)))  # expect: CON810
            """),
        Bad("""
            import itertools
            import sys
            from concurrent import futures

            def numbers():
                number = 0
                while True:
                    yield number
                    number += 1

            def check_all(check):
                pool = futures.ProcessPoolExecutor()
                for answer in pool.map(check, itertools.count(1)):  # expect: CON810
                    print(answer)
                for answer in pool.map(check, numbers()):  # expect: CON810
                    print(answer)
                for answer in pool.map(check, sys.stdin):  # expect: CON810
                    print(answer)
                pool.shutdown()
            """),
        Bad("""
            import concurrent.futures as cf

            class Reader:
                def __init__(self, connection):
                    self.pool = cf.ThreadPoolExecutor(4)
                    self.connection = connection

                def close(self):
                    self.pool.shutdown()

                def all(self, handle):
                    return self.pool.map(handle, iter(self.connection.recv, b""))  # expect: CON810
            """),
        Good("""
            import itertools
            from concurrent.futures import ThreadPoolExecutor

            def first(limit):
                number = 0
                while True:
                    if number > limit:
                        return
                    yield number
                    number += 1

            def parse_all(parse, path, rows):
                with ThreadPoolExecutor() as pool, open(path) as lines:
                    yield from pool.map(parse, lines.readlines())
                    yield from pool.map(parse, rows, itertools.count())
                    yield from pool.map(parse, rows, itertools.repeat(path))
                    yield from pool.map(parse, itertools.repeat(path, 3))
                    yield from pool.map(parse, first(9))
                    yield from pool.map(parse, lines, buffersize=64)
                    yield from pool.map(parse, iter(rows))
            """),
        Good("""
            import multiprocessing

            def parse_all(parse, path):
                with multiprocessing.Pool() as pool, open(path) as lines:
                    yield from pool.imap(parse, lines)
            """),
    ),
)
