"""Nobody closes this event loop: its selector, its sockets and its thread pool stay.

`asyncio.new_event_loop()` opens a selector and a pair of sockets, and later a pool of threads. They stay until
`close()`; the collector only warns. Code that makes a loop for each call, or in each thread, runs out of file
descriptors in the end.

Use `asyncio.run(main())`, which makes a loop, cancels what is left and closes it; or `asyncio.Runner` for several
calls (since Python 3.11); or close the loop in a `finally`.

Not reported: loops that somebody else may close, since they are returned, kept, passed on or run for ever; and loops
of the module, which live as long as the program.

The fix is `asyncio.run`, where the loop runs one coroutine and nothing else; it is applied with `--unsafe-fixes` only.

See https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.loop.close
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.model import Edit, Finding, Fix, Span
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source

NEW, SET = "asyncio.new_event_loop", "asyncio.set_event_loop"
RUNS = "run_until_complete"


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.testcode import in_test
    from conclint.source.variables import bound_to, reads

    for call in source.all(cst.Call):
        if not source.calls(call, NEW) or source.function_node(call) is None or in_test(source, call):
            continue
        name, outer = bound_to(source, call), source.parent(call)
        inline = isinstance(outer, cst.Attribute) and outer.attr.value == RUNS
        uses = reads(source, name) if name is not None else []
        if inline or (uses and _only_runs(source, uses)):
            fix = _run(source, call, uses)
            message = "nobody closes this event loop, and its sockets and threads stay"
            yield Finding(source.place(call), f"{message}; use `asyncio.run`, or close it in a `finally`", fix=fix)


def _only_runs(source: Source, uses: list[cst.Name]) -> bool:
    """Whether the loop runs coroutines to their end, and nobody else gets it."""
    methods = set()
    for one in uses:
        outer = source.parent(one)
        if isinstance(outer, cst.Attribute):
            methods.add(outer.attr.value)
        elif not _sets(source, one):
            return False
    return RUNS in methods and not methods & {"close", "run_forever", "stop"}


def _sets(source: Source, name: cst.CSTNode) -> bool:
    """`asyncio.set_event_loop(loop)`."""
    outer = source.parent(name)
    call = source.parent(outer) if isinstance(outer, cst.Arg) else None
    return isinstance(call, cst.Call) and source.calls(call, SET)


def _run(source: Source, call: cst.Call, uses: list[cst.Name]) -> Fix | None:
    """`asyncio.run(main())` in place of the lines that make and set the loop, and of the one that runs it."""
    spelled = source.code(call.func)
    runs = [outer for one in uses if isinstance(outer := source.parent(one), cst.Attribute)]
    if not spelled.endswith(".new_event_loop") or len(runs) != 1:
        return None
    run = source.parent(runs[0])
    coroutine = run.args[0].value if isinstance(run, cst.Call) and len(run.args) == 1 else None
    if not isinstance(run, cst.Call) or not isinstance(coroutine, cst.Call):
        return None
    made = source.named(coroutine.func).functions
    lines = [source.statement(call), *(source.statement(one) for one in uses if _sets(source, one))]
    spans = [source.span(line) for line in lines]
    if not made or any(one not in source.scene.coroutines for one in made):
        return None
    alone = all(isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1 for line in lines)
    if not alone or any(span.line != span.end_line for span in spans):
        return None
    text = spelled.removesuffix("new_event_loop") + "run"
    gone = (Edit(Span(span.line, 1, span.line + 1, 1), "") for span in spans)
    return Fix(f"`{text}`", (*gone, Edit(source.span(runs[0]), text)))


RULE = Rule(
    code="CON209",
    name="unclosed-loop",
    triggers=calls(NEW),
    check=check,
    examples=(
        Bad(
            """
            import asyncio

            async def fetch(url):
                return url

            def fetch_now(url):
                loop = asyncio.new_event_loop()  # expect: CON209
                asyncio.set_event_loop(loop)
                return loop.run_until_complete(fetch(url))
            """,
            fixed="""
            import asyncio

            async def fetch(url):
                return url

            def fetch_now(url):
                return asyncio.run(fetch(url))
            """,
        ),
        Bad("""
            import asyncio
            import threading

            class Worker(threading.Thread):
                def __init__(self, job):
                    super().__init__()
                    self.job = job

                def run(self):
                    loop = asyncio.new_event_loop()  # expect: CON209
                    loop.set_debug(True)
                    task = loop.create_task(self.job())
                    print(loop.run_until_complete(task))
            """),
        Bad("""
            from asyncio import new_event_loop

            def fetch_now(fetch, url):
                return new_event_loop().run_until_complete(fetch(url))  # expect: CON209
            """),
        Good("""
            import asyncio
            import contextlib
            import threading

            def fetch_now(fetch, url):
                loop = asyncio.new_event_loop()
                try:
                    return loop.run_until_complete(fetch(url))
                finally:
                    loop.close()

            def fetch_closing(fetch, url):
                loop = asyncio.new_event_loop()
                with contextlib.closing(loop):
                    return loop.run_until_complete(fetch(url))

            def make(fetch):
                loop = asyncio.new_event_loop()
                loop.run_until_complete(fetch("first"))
                return loop

            def in_thread():
                loop = asyncio.new_event_loop()
                threading.Thread(target=loop.run_forever, daemon=True).start()
                return asyncio.run_coroutine_threadsafe(asyncio.sleep(1), loop)

            class Client:
                def __init__(self):
                    self.loop = asyncio.new_event_loop()

                def get(self, fetch):
                    return self.loop.run_until_complete(fetch())
            """),
    ),
)
