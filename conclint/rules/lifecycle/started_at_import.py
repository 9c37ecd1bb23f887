"""Importing this module starts a thread, or runs an event loop.

Whoever imports it, a test, a tool or a child process that imports everything again, gets the worker too, before it can
configure anything, and cannot ask for less. While a module is imported its import lock is held: a worker that imports
something in its turn may wait for it for ever. After `fork` the thread is missing, although the module is there.

Start it in a function that the program calls when it begins, or below `if __name__ == "__main__":`.

https://docs.python.org/3/library/threading.html#threading.Thread.start

Reported in files that another one imports, or that define what only others could use. Not reported: what stands
below a guard or another condition; `__main__.py`; processes, which another rule is about; and tests. Files of which
nobody can tell whether they are scripts (they have a guard, or end with the start), modules of a web application, which
its server imports in order to run it, and objects that offer more than their `run`, are shown to those who
select CON213.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.kinds import Context
from conclint.knowledge.lives import EXECUTOR, THREAD, TIMER, Stage, calls_to
from conclint.model import Finding
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.makers import makers
from conclint.source.paths import path_of
from conclint.source.testcode import in_test
from conclint.source.variables import bound_to

if TYPE_CHECKING:
    from conclint.source.source import Source

GUARD = re.compile(r"if __name__\s*==|if ['\"]__main__['\"]\s*==")

# Top-level lines with which a script does its work, or waits.
ACTS = re.compile(
    r"(while|for|with|try|if)\b(?! *__name__)|[\w.]+\.(join|wait|run|serve_forever|get|exec_|mainloop|sleep)\("
)
WAITS = re.compile(r"while\b|[\w.]+\.(join|wait|run|serve_forever|run_forever|exec_?|mainloop|sleep)\(")
GOES_ON = re.compile(r"[\w.]+\(|\w+ = input\(")

# What a file has to offer: definitions that are not handed to a decorator.
OFFER = re.compile(r"(?<!\S)(?:async def|def|class) ([a-z]\w*)", re.IGNORECASE)
APPLICATION = re.compile(r"\w+(?:: \w+)? = (?:\w+\.)?(?:Flask|FastAPI|Quart|Sanic|Starlette|Litestar|Dash|Bottle)\(")

STARTS = {
    **dict.fromkeys(calls_to(Stage.WORKS, THREAD), "a thread"),
    **dict.fromkeys(calls_to(Stage.WORKS, TIMER), "a thread"),
    **dict.fromkeys(calls_to(Stage.WORKS, EXECUTOR), "a pool's worker"),
    "_thread.start_new_thread": "a thread",
    "asyncio.run": "an event loop",
    "asyncio.AbstractEventLoop.run_until_complete": "an event loop",
    "asyncio.AbstractEventLoop.run_forever": "an event loop",
}


# The other rule speaks of them.
PROCESSES = tuple(f"concurrent.futures.ProcessPoolExecutor.{name}" for name in ("submit", "map"))


def check(source: Source) -> Iterator[Finding]:
    lines = _Lines(source)
    for call in source.all(cst.Call):
        if source.function_node(call) is not None or source.calls(call, *PROCESSES):
            continue
        what = _begun(source, call)
        if not what or _is_guarded(source, call) or in_test(source, call) or source.path.endswith("__main__.py"):
            continue
        surely = _is_module(source, call, lines)
        if surely or _may_be_module(source, call, lines):
            message = f"importing this module starts {what}; start it in a function that the program calls"
            yield Finding(source.place(call), message, when_asked=not surely or _offers_more(source, call))


def _begun(source: Source, call: cst.Call) -> str:
    """What the call starts, itself or in a helper of the program's own, which is given what to run."""
    start = source.start(call)
    if start is not None and start.handed and start.context is Context.THREAD:
        return "a thread" if start.how == THREAD else STARTS.get(start.how, "")
    return next((STARTS[name] for name in STARTS if source.calls(call, name)), "")


class _Lines:
    """What the file's top-level lines do, looked at once."""

    def __init__(self, source: Source) -> None:
        self._lines = source.text.lines

    @cached_property
    def guarded(self) -> bool:
        """Whether there is a guard for other uses than the import."""
        return any(GUARD.match(line) for line in self._lines)

    @cached_property
    def last_act(self) -> int:
        """The last line on which a script does its work, or waits; 0 for none."""
        return self._last(ACTS)

    @cached_property
    def last_step(self) -> int:
        """The last line on which anything goes on."""
        return max(self.last_act, self._last(GOES_ON))

    @cached_property
    def last_wait(self) -> int:
        """The last line on which a script waits."""
        return self._last(WAITS)

    @cached_property
    def last_offer(self) -> int:
        """The last line that defines what nothing in the file uses, and no server is to find there; 0 for none."""
        if any(APPLICATION.match(line) for line in self._lines):
            return 0
        pairs = enumerate(zip(("", *self._lines), self._lines, strict=False), 1)
        found = ((OFFER.match(line), number) for number, (before, line) in pairs if not before.startswith("@"))
        names = [(match[1], number) for match, number in found if match is not None]
        text = "\n".join(self._lines) if names else ""
        return max((number for name, number in names if len(re.findall(rf"\b{name}\b", text)) == 1), default=0)

    def _last(self, pattern: re.Pattern[str]) -> int:
        return max((number for number, line in enumerate(self._lines, 1) if pattern.match(line)), default=0)


def _is_module(source: Source, call: cst.Call, lines: _Lines) -> bool:
    """Whether the file is surely there to be imported: somebody does, or it has something to offer."""
    if source.scene.timing.imported:
        return True
    line = source.span(call).line
    offers = lines.last_offer > line or (lines.last_offer > 0 and _is_kept(source, call))
    return offers and lines.last_wait < line


def _may_be_module(source: Source, call: cst.Call, lines: _Lines) -> bool:
    """Whether it has a guard for other uses, or does nothing else."""
    end = source.span(call).end_line
    if lines.guarded:
        return lines.last_act <= end
    return lines.last_step <= end and _is_kept(source, call)


def _is_kept(source: Source, call: cst.Call) -> bool:
    """`WORKER.start()`, a daemon's `start()`: no script would end here."""
    if not source.calls(call, *calls_to(Stage.WORKS, THREAD)) or not isinstance(call.func, cst.Attribute):
        return False
    path = path_of(call.func.value)
    if path.isupper() or path.startswith("_"):
        return True
    made = [one for one in makers(source) if source.function_node(one.call) is None]
    daemons = [one for one in made if (fate := source.fate(one.call)) is not None and fate.daemon]
    return bool(daemons) and len(daemons) == len(made)


def _offers_more(source: Source, call: cst.Call) -> bool:
    """Whether what is started is an object of the program's own with methods for others: one for all who import it."""
    if not isinstance(call.func, cst.Attribute):
        return False
    path = path_of(call.func.value)
    made = (one.call for one in makers(source) if source.function_node(one.call) is None)
    bound = (one for one in made if (name := bound_to(source, one)) is not None and name.value == path)
    return any((fate := source.fate(one)) is not None and fate.protocol for one in bound)


def _is_guarded(source: Source, call: cst.Call) -> bool:
    """Whether it stands below some condition, in whatever branch: somebody can choose."""
    return any(isinstance(outer, (cst.If, cst.IfExp, cst.ExceptHandler)) for outer in source.ancestors(call))


RULE = Rule(
    code="CON213",
    name="started-at-import",
    triggers=calls(*STARTS, THREAD, helpers=True),
    check=check,
    examples=(
        Bad("""
            import threading

            def run():
                print("running")

            WORKER = threading.Thread(target=run)
            WORKER.start()  # expect: CON213
            """),
        Bad("""
            from threading import Thread
            import time

            def refresh():
                while True:
                    time.sleep(60)

            refresher = Thread(target=refresh, daemon=True)
            refresher.start()  # expect: CON213

            def get(name):
                return name
            """),
        Bad("""
            from concurrent.futures import ThreadPoolExecutor

            def warm_up():
                return 1

            pool = ThreadPoolExecutor()
            ready = pool.submit(warm_up)  # expect: CON213

            def main():
                print(ready.result())
                pool.shutdown()

            if __name__ == "__main__":
                main()
            """),
        Good("""
            import threading

            def run():
                print("running")

            def start_worker():
                worker = threading.Thread(target=run)
                worker.start()
                return worker

            if __name__ == "__main__":
                start_worker().join()
            """),
        Good("""
            import threading

            def run():
                print("a script")

            worker = threading.Thread(target=run)
            worker.start()
            worker.join()
            """),
    ),
)
