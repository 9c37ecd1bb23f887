"""The pool has as many workers as there is work, so nothing bounds it.

`max_workers=len(items)` starts a thread (or forks a process) per item: ten thousand items are ten thousand stacks and
as many connections at once. A pool is there to have fewer workers than work. On Windows a `ProcessPoolExecutor` of
more than 61 workers raises `ValueError`; and `len(items)` is 0 for no items, which raises it everywhere.

Leave the number out, or put a bound on it: `max_workers=min(32, len(items))`.

https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.ThreadPoolExecutor

Not reported: numbers below a `min`, lengths of what is written out in the program (also as arguments, `*events`), of
what counts machines, devices or workers rather than work, pools whose workers wait for each other, and tests.  Pools
that are handed on to another function are shown to those who select CON115.

The fix puts `min(32, …)` around the length; fewer workers may take longer, or wait for each other: it is applied with
`--unsafe-fixes` only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.model import Finding, Fix
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.paths import argument, path_of
from conclint.source.testcode import in_test
from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.source.source import Source

THREADS, PROCESSES = "concurrent.futures.ThreadPoolExecutor", "concurrent.futures.ProcessPoolExecutor"
THREAD_POOL, PROCESS_POOL = "multiprocessing.pool.ThreadPool", "multiprocessing.pool.Pool"
POOLS = {THREADS: "max_workers", PROCESSES: "max_workers", THREAD_POOL: "processes", PROCESS_POOL: "processes"}

# Of these there is a handful, or one worker each is the point.
FEW = re.compile(
    r"(^|_)(workers?|devices?|gpus?|cpus?|cores?|hosts?|nodes?|machines?|servers?|brokers?|backends?|shards?|ranks?"
    r"|threads|process(es)?|procs?|instances?|ports?|sockets?|interfaces|providers?|sources?|engines?|clients?"
    r"|handlers?|plugins?|checkers?|checks?|methods?|algorithms?|stages?|kinds?|types?|columns?|splits?|parts?)$",
    re.IGNORECASE,
)


VIEW = re.compile(r"\.(keys|values|items)\(\)$")


def check(source: Source) -> Iterator[Finding]:
    for call in source.all(cst.Call):
        kind = next((one for one in POOLS if source.calls(call, one)), "")
        size = argument(call, POOLS[kind], 0) if kind else None
        if size is None or size.star:
            continue
        length = _length(source, call, size.value)
        if length is not None and _counts_work(source, call, length) and not in_test(source, call):
            code = source.code(length.args[0].value)
            what = f"this pool gets a worker for each of `{code}`, however many there are"
            fix = Fix("at most 32 workers", (source.replace(length, f"min(32, {source.code(length)})"),))
            advice = f"bound it by `min(32, len({code}))`"
            yield Finding(source.place(call), f"{what}; {advice}", fix=fix, when_asked=_is_handed_on(source, call))


def _is_handed_on(source: Source, call: cst.Call) -> bool:
    """Whether a function gets the pool that may need a worker for each: `with Pool(len(xs)) as pool: mix(pool, …)`."""
    item = source.parent(call)
    name = path_of(item.asname.name) if isinstance(item, cst.WithItem) and item.asname is not None else ""
    block = source.parent(item) if name and item is not None else None
    args = (part for part in below(block) if isinstance(part, cst.Arg)) if block is not None else ()
    return any(path_of(arg.value) == name for arg in args)


def _length(source: Source, call: cst.Call, size: cst.BaseExpression) -> cst.Call | None:
    """`len(items)`: as the size itself, or through the one name that is bound to it in the same function."""
    if not isinstance(size, cst.Name):
        return _grown(source, size)
    around = source.function_node(call)
    bound = [
        source.parent(target)
        for target in source.all(cst.AssignTarget)
        if isinstance(target, cst.AssignTarget)
        and path_of(target.target) == size.value
        and source.function_node(target) is around
    ]
    if around is None or len(bound) != 1 or not isinstance(bound[0], cst.Assign):
        return None
    return _grown(source, bound[0].value)


def _grown(source: Source, size: cst.BaseExpression) -> cst.Call | None:
    """`len(items)` in what is at least as much: `max(1, len(items))`, `len(items) or 1`, `len(items) + 1`."""
    if isinstance(size, cst.Call):
        if len(size.args) == 1:
            return size if source.calls(size, "builtins.len") else None
        parts = [arg.value for arg in size.args] if source.calls(size, "builtins.max") else []
    elif isinstance(size, cst.BooleanOperation) and isinstance(size.operator, cst.Or):
        parts = [size.left]
    elif isinstance(size, cst.BinaryOperation) and isinstance(size.operator, (cst.Add, cst.Multiply)):
        parts = [size.left, size.right]
    else:
        parts = []
    return next((found for part in parts if (found := _grown(source, part)) is not None), None)


def _counts_work(source: Source, call: cst.Call, length: cst.Call) -> bool:
    """Whether as many as there are items of somebody's, rather than a handful that the program itself names."""
    counted = length.args[0].value
    if _is_slice(counted):
        return False  # as many as the slice says
    path = VIEW.sub("", path_of(counted))
    if not path or path.endswith("()") or FEW.search(path.removesuffix("()").rpartition(".")[2]):
        return False
    last = path.rpartition(".")[2]
    function = source.function_node(call)
    star = function.params.star_arg if function is not None else None
    if isinstance(star, cst.Param) and star.name.value == path:
        return False  # the callers write them out, one by one
    return not last.isupper() and not _written_out(source, call, path)


def _written_out(source: Source, call: cst.Call, path: str) -> bool:
    """Whether the program writes out what is counted: `[a, b, c]`."""
    around = source.function_node(call)
    for assign in source.all(cst.Assign):
        written = isinstance(assign.value, (cst.List, cst.Tuple, cst.Dict, cst.Set)) and bool(assign.value.elements)
        if written or _is_slice(assign.value):
            named = any(path_of(target.target) == path for target in assign.targets)
            if named and source.function_node(assign) in (around, None):
                return True
    return False


def _is_slice(value: cst.BaseExpression) -> bool:
    """`items[:5]`."""
    if not isinstance(value, cst.Subscript) or len(value.slice) != 1:
        return False
    index = value.slice[0].slice
    return isinstance(index, cst.Slice) and index.upper is not None


RULE = Rule(
    code="CON115",
    name="pool-sized-by-data",
    triggers=calls(*POOLS),
    check=check,
    examples=(
        Bad(
            """
            from concurrent.futures import ThreadPoolExecutor
            from urllib.request import urlopen

            def fetch_all(urls):
                with ThreadPoolExecutor(max_workers=len(urls)) as pool:  # expect: CON115
                    return list(pool.map(urlopen, urls))
            """,
            fixed="""
            from concurrent.futures import ThreadPoolExecutor
            from urllib.request import urlopen

            def fetch_all(urls):
                with ThreadPoolExecutor(max_workers=min(32, len(urls))) as pool:  # expect: CON115
                    return list(pool.map(urlopen, urls))
            """,
        ),
        Bad("""
            import multiprocessing as mp

            class Renderer:
                def __init__(self, pages):
                    self.pages = pages

                def render(self):
                    count = len(self.pages)
                    with mp.Pool(processes=count) as pool:  # expect: CON115
                        return pool.map(str, self.pages)
            """),
        Bad("""
            import concurrent.futures as cf

            def checksums(paths):
                with cf.ProcessPoolExecutor(len(paths)) as pool:  # expect: CON115
                    return list(pool.map(hash, paths))
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            def fetch_all(fetch, urls):
                with ThreadPoolExecutor(max_workers=min(32, len(urls) or 1)) as pool:
                    return list(pool.map(fetch, urls))
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            def both(first, second):
                jobs = [first, second]
                with ThreadPoolExecutor(max_workers=len(jobs)) as pool:
                    return [job.result() for job in [pool.submit(job) for job in jobs]]
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            REGIONS = ["eu", "us"]

            def probe(ping, devices):
                with ThreadPoolExecutor(len(REGIONS)) as pool:
                    found = list(pool.map(ping, REGIONS))
                with ThreadPoolExecutor(max_workers=len(devices)) as pool:
                    return found + list(pool.map(ping, devices))
            """),
    ),
)
