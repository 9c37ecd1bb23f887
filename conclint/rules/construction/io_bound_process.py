"""This work only waits for input and output, which threads do as well and at less cost.

A process costs its start, a copy of the program in memory, and pickling of every argument and result. It gains
something where Python code computes; a worker that waits for a server or a disk lets go of the GIL meanwhile, so
threads wait side by side just as well.

Give it to a `ThreadPoolExecutor`.

https://docs.python.org/3/library/concurrent.futures.html#threadpoolexecutor

Not reported: functions that compute or parse as well, that set what all threads of a process have or use a global
object that only one thread may use, or that call what nobody can see; pools with an initializer, or whose workers end
after some tasks.

This is advice, shown only where it is asked for: a process of its own also protects from crashes, leaks and libraries
that bear no threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.kinds import Context
from conclint.model import Finding
from conclint.program.effects import Effect
from conclint.program.triggers import calls
from conclint.program.values import split_id
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.futures import maker
from conclint.source.paths import argument
from conclint.source.testcode import in_test

if TYPE_CHECKING:
    from conclint.source.source import Source

EXECUTOR, POOL = "concurrent.futures.ProcessPoolExecutor", "multiprocessing.pool.Pool"
THREADS = "multiprocessing.pool.ThreadPool"
METHODS = ("apply", "apply_async", "map", "map_async", "imap", "imap_unordered", "starmap", "starmap_async")
BAR, DELAYED = "tqdm.contrib.concurrent.process_map", "joblib.delayed"
GIVES = (f"{EXECUTOR}.submit", f"{EXECUTOR}.map", *(f"{POOL}.{name}" for name in METHODS), BAR)

COMPUTES = Effect.BUSY | Effect.LOOPS | Effect.RELEASES | Effect.UNKNOWN | Effect.APART

# With these each worker has something of its own, which threads would share, or ends when it has leaked enough.
OWN: tuple[tuple[str, dict[str, int]], ...] = (
    ("initializer", {EXECUTOR: 2, POOL: 1}),
    ("maxtasksperchild", {POOL: 3}),
    ("max_tasks_per_child", {}),
)


def check(source: Source) -> Iterator[Finding]:
    for call in source.all(cst.Call):
        start = source.start(call)
        given = start is not None and start.how in (*GIVES, DELAYED) and start.context is Context.PROCESS
        if not (given or source.calls(call, *GIVES)) or _on_threads(source, call) or in_test(source, call):
            continue
        if call.args and _only_waits(source, call, call.args[0].value) and not _on_purpose(source, call):
            what = f"`{_work(source, call)}` only waits for input and output"
            yield Finding(source.place(call), f"{what}; threads do that at less cost than processes")


def _work(source: Source, call: cst.Call) -> str:
    start = source.start(call)
    if start is not None and start.handed:
        return split_id(start.targets[0])[1].rpartition(".")[2]
    return source.code(call.args[0].value)


def _on_threads(source: Source, call: cst.Call) -> bool:
    """A `ThreadPool` is a `Pool` too."""
    return isinstance(call.func, cst.Attribute) and THREADS in source.types(call.func.value)


def _on_purpose(source: Source, call: cst.Call) -> bool:
    """Whether the pool prepares each worker, or ends it after some work."""
    start = source.start(call)
    if start is not None and start.handed:
        return any(word in start.options for word, _ in OWN)
    made = maker(source, call.func.value) if isinstance(call.func, cst.Attribute) else None
    return made is not None and any(
        argument(made, word, next((at for kind, at in places.items() if source.calls(made, kind)), None)) is not None
        for word, places in OWN
    )


def _only_waits(source: Source, call: cst.Call, work: cst.BaseExpression) -> bool:
    _, targets = source.starts(call)
    if targets:
        return all(one.effects & (Effect.IO | Effect.BLOCKS) and not one.effects & COMPUTES for one in targets)
    knows = source.knowledge
    waits = any(knows.matches(table, name) for name in source.names(work) for table in (knows.io, knows.blocking))
    return waits and not any(knows.matches(knows.releases_gil, name) for name in source.names(work))


RULE = Rule(
    code="CON104",
    name="io-bound-process",
    triggers=calls(*GIVES, DELAYED, helpers=True),
    check=check,
    default=False,
    examples=(
        Bad("""
            import requests
            from concurrent.futures import ProcessPoolExecutor

            def pages(urls):
                with ProcessPoolExecutor() as pool:
                    return list(pool.map(requests.get, urls))  # expect: CON104
            """),
        Bad("""
            import multiprocessing
            from urllib.request import urlopen

            def size(url):
                with urlopen(url) as answer:
                    return answer.length

            def sizes(urls):
                with multiprocessing.Pool(8) as pool:
                    return pool.map(size, urls)  # expect: CON104
            """),
        Bad("""
            from concurrent import futures
            import shutil

            def copy_all(pairs):
                with futures.ProcessPoolExecutor() as pool:
                    copies = [pool.submit(shutil.copy, old, new) for old, new in pairs]  # expect: CON104
                    return [copy.result() for copy in copies]
            """),
        Good("""
            import requests
            from concurrent.futures import ThreadPoolExecutor

            def pages(urls):
                with ThreadPoolExecutor() as pool:
                    return list(pool.map(requests.get, urls))
            """),
        Good("""
            from concurrent.futures import ProcessPoolExecutor
            from urllib.request import urlopen

            def checksum(url):
                with urlopen(url) as answer:
                    return sum(byte * 31 for byte in answer.read())

            def checksums(urls):
                with ProcessPoolExecutor() as pool:
                    return list(pool.map(checksum, urls))
            """),
        Good("""
            from multiprocessing.pool import ThreadPool
            from urllib.request import urlopen

            def open_all(urls):
                with ThreadPool() as pool:
                    return pool.map(urlopen, urls)
            """),
    ),
)
