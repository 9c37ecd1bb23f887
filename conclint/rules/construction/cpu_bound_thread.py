"""This work keeps the interpreter busy, so threads make it slower instead of faster.

The GIL lets one thread at a time run Python code.  A function that spends its time in Python loops never gives it up
for long: several such threads take turns, and the whole takes as long as one after the other, plus the switching.
Meanwhile the event loop or the main thread gets its turn only every few milliseconds.

Give such work to processes (`ProcessPoolExecutor`), to sub-interpreters (`InterpreterPoolExecutor`, Python 3.14), or
to a library that computes with the GIL released.

Not reported: functions that anywhere do I/O, wait, or call what releases the GIL or may (code that conclint cannot
see counts as such); loops over short constants; loops that only move data about; tests; programs for free-
threaded Python (`free-threaded = true`), where threads do compute side by side, and code that asks whether there is a
GIL.  A single thread, which mostly computes so that something else can go on, is shown to those who select CON103.

The fix turns a local pool of threads into one of processes, where all that it runs are functions at the top level of
a module.  Arguments and results must be picklable, and what the functions change in globals stays in the worker: it
is applied with `--unsafe-fixes` only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.kinds import Context
from conclint.model import Finding, Note
from conclint.program.effects import Effect
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.program.scene import TargetScene
    from conclint.source.source import Source

THREAD = "threading.Thread"
EXECUTOR = "concurrent.futures.ThreadPoolExecutor"
POOL = "multiprocessing.pool.ThreadPool"
PROCESSES = "concurrent.futures.ProcessPoolExecutor"
DELAYED = "joblib.delayed"
IN_EXECUTOR = "asyncio.AbstractEventLoop.run_in_executor"

# Code that asks, knows: docs.python.org/3/howto/free-threading-python.html
ASKS_FOR_GIL = re.compile(r"\b_is_gil_enabled\b|\bPy_GIL_DISABLED\b")
ABOUT_GIL = re.compile(r"(?:\b|_|no)gil(?:\b|_)|free_?thread", re.IGNORECASE)

SPAWNS = (
    THREAD,
    "asyncio.to_thread",
    IN_EXECUTOR,
    DELAYED,
    "tqdm.contrib.concurrent.thread_map",
    f"{EXECUTOR}.submit",
    f"{EXECUTOR}.map",
    *(f"{POOL}.{name}" for name in ("apply", "apply_async", "map", "map_async", "imap", "imap_unordered")),
    *(f"{POOL}.{name}" for name in ("starmap", "starmap_async")),
)


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.processes import into_processes
    from conclint.source.testcode import in_test

    if source.scene.free_threaded or ASKS_FOR_GIL.search(source.text.text):
        return
    for call in source.all(cst.Call):
        how, targets = source.starts(call)
        if how not in SPAWNS or not _on_threads(source, call) or in_test(source, call):
            continue
        busy = next((target for target in targets if target.computes and not _is_told(source, call, target)), None)
        if busy is not None and not _asked_whether(source, call):
            what = f"`{_name(busy)}` computes in Python code, which one thread at a time can run"
            fix = into_processes(source, call)
            yield Finding(
                source.place(call), f"{what}; give it to processes", _notes(busy), fix, when_asked=_alone(source, call)
            )


def _alone(source: Source, call: cst.Call) -> bool:
    """Whether it is the only thread that is made there, and once: mostly something else is to go on beside it."""
    fate = source.fate(call)
    if not source.calls(call, THREAD) or fate is None or fate.repeated or source.loop(call) is not None:
        return False
    around = source.function_node(call)
    return all(
        one is call or source.function_node(one) is not around or not source.calls(one, THREAD)
        for one in source.all(cst.Call)
    )


def _asked_whether(source: Source, call: cst.Call) -> bool:
    """Whether it stands below a condition that is about the GIL."""
    tests = (one.test for one in source.ancestors(call) if isinstance(one, (cst.If, cst.IfExp)))
    return any(ABOUT_GIL.search(source.code(one)) for one in tests)


def _is_told(source: Source, call: cst.Call, target: TargetScene) -> bool:
    """Whether it is only what a thread of the program's own kind calls now and then: a callback it was given."""
    own_kind = source.calls(call, THREAD) and source.argument(call, "target") is None
    return own_kind and _name(target) != "run"


def _on_threads(source: Source, call: cst.Call) -> bool:
    """Whether the executor is surely one of threads; that of `run_in_executor` is the loop's own, or a known one."""
    start = source.start(call)
    if start is None or start.context is not Context.THREAD:
        return False
    if not source.calls(call, IN_EXECUTOR):
        return not isinstance(call.func, cst.Attribute) or PROCESSES not in source.types(call.func.value)
    executor = source.argument(call, "executor", 0)
    if executor is None:
        return False
    none = isinstance(executor.value, cst.Name) and executor.value.value == "None"
    return none or EXECUTOR in source.types(executor.value)


def _name(target: TargetScene) -> str:
    name = target.identity.rpartition(".py:")[2].rpartition(".")[2].partition("#")[0]
    return "lambda" if name.startswith("$lambda") else name


def _notes(target: TargetScene) -> tuple[Note, ...]:
    """The calls that lead from the target to the loop."""
    return target.trace(Effect.BUSY)


RULE = Rule(
    code="CON103",
    name="cpu-bound-thread",
    triggers=calls(*SPAWNS, helpers=True),
    check=check,
    examples=(
        Bad(
            """
            from concurrent.futures import ThreadPoolExecutor

            def crunch(limit):
                return sum(number * number for number in range(limit))

            def main(limits):
                with ThreadPoolExecutor(max_workers=4) as pool:
                    return list(pool.map(crunch, limits))  # expect: CON103
            """,
            fixed="""
            from concurrent.futures import ProcessPoolExecutor

            def crunch(limit):
                return sum(number * number for number in range(limit))

            def main(limits):
                with ProcessPoolExecutor(max_workers=4) as pool:
                    return list(pool.map(crunch, limits))  # expect: CON103
            """,
        ),
        Bad("""
            import asyncio

            def collatz(start):
                steps = 0
                while start != 1:
                    start = start // 2 if start % 2 == 0 else 3 * start + 1
                    steps += 1
                return steps

            def longest(limit):
                return max(range(1, limit), key=collatz)

            async def answer(limit):
                return await asyncio.to_thread(longest, limit)  # expect: CON103
            """),
        Good("""
            import subprocess
            import threading

            class Monitor:
                def __init__(self, command):
                    self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
                    self.lines, self.counts = [], {}
                    self.reader = threading.Thread(target=self.read)
                    self.reader.start()

                def read(self):
                    for line in self.process.stdout:  # waits for the other process
                        self.counts[line[:4]] = self.counts.get(line[:4], 0) + 1
                        if len(self.lines) > 1000:
                            self.lines = self.lines[-500:] + [line]

                def close(self):
                    self.process.terminate()
                    self.reader.join()
            """),
        Good("""
            from concurrent.futures import ProcessPoolExecutor

            def crunch(limit):
                return sum(number * number for number in range(limit))

            def main(limits):
                with ProcessPoolExecutor() as pool:
                    return list(pool.map(crunch, limits))
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor
            from urllib.request import urlopen

            def checksum(url):
                with urlopen(url) as answer:
                    return sum(byte * 31 for byte in answer.read())

            def main(urls):
                with ThreadPoolExecutor() as pool:
                    return list(pool.map(checksum, urls))
            """),
        Good("""
            import numpy as np
            from concurrent.futures import ThreadPoolExecutor

            def power(matrix):
                result = matrix
                for _ in range(100):
                    result = np.matmul(result, matrix)
                return result

            def main(matrices):
                with ThreadPoolExecutor() as pool:
                    return list(pool.map(power, matrices))
            """),
    ),
)
