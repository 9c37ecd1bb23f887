"""`join` waits for a child that waits for its queue to be emptied: both wait for ever.

A `multiprocessing.Queue` has a thread in each process that puts: it writes the items into a pipe, and the process
does not end before all of them are written.  The pipe holds some 64 KB.  A child with more to say stays in its end,
`join()` waits for the end, and the `get()` that would make room comes after the `join()`.  With small results all is
well, until one is large.

Get the results first, then join: `result = queue.get(); process.join()`.

See https://docs.python.org/3/library/multiprocessing.html#programming-guidelines, "Joining processes that use queues".

Not reported: a `join` with a timeout, a `SimpleQueue`, the queue of a `Manager`, which lives in a process of its own,
queues that this function fills itself, hands to others or reads before, `cancel_join_thread()`, and tests, whose
results are small.

The fix swaps two neighbouring statements; it is made where one `get()` follows one `join()`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from conclint.model import Edit, Finding, Fix, Note, Safety
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.makers import Maker
    from conclint.source.source import Source

QUEUE, PROCESS = "multiprocessing.Queue", "multiprocessing.Process"
GETS = frozenset({"get", "get_nowait"})
PUTS = frozenset({"put", "put_nowait", "cancel_join_thread"})


class _Drain(NamedTuple):
    """A `get` behind a `join`."""

    join: cst.Call
    get: cst.Call


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.makers import makers
    from conclint.source.paths import path_of
    from conclint.source.testcode import in_test

    seen: set[int] = set()
    for made in makers(source):
        if made.kind != PROCESS or "cancel_join_thread" in source.text.text or in_test(source, made.call):
            continue
        for queue in _queues(source, made):
            drain = _late(source, made, path_of(queue))
            if drain is not None and id(drain.join) not in seen:
                seen.add(id(drain.join))
                yield Finding(
                    source.place(drain.join),
                    f"`join` waits for a process that cannot end before `{source.code(queue)}` is emptied, "
                    "which happens only afterwards; get the results first, then join",
                    notes=(Note(source.place(drain.get), "the queue is emptied here"),),
                    fix=_swapped(source, drain),
                )


def _queues(source: Source, made: Maker) -> Iterator[cst.BaseExpression]:
    """The queues that the process is given."""
    from conclint.source.jobs import packed

    given = [made.given("args"), made.given("kwargs")]
    items = [item for arg in given if arg is not None for item in packed(arg.value)]
    if made.own:
        items += [arg.value for arg in made.call.args]
    for item in items:
        types = source.types(item)
        if QUEUE in types and not any(name.startswith("multiprocessing.managers.") for name in types):
            yield item


def _late(source: Source, made: Maker, queue: str) -> _Drain | None:
    """The first `join` of a process behind the start, and the `get` behind it, where none comes before."""
    from conclint.source.paths import path_of

    function = source.function_node(made.call)
    begin = source.sequence(made.call)
    joins: list[cst.Call] = []
    gets: list[cst.Call] = []
    for call in source.all(cst.Call):
        if source.function_node(call) is not function or not isinstance(call.func, cst.Attribute):
            continue
        name, owner = call.func.attr.value, path_of(call.func.value)
        if owner == queue and name in PUTS:
            return None  # it is this function that fills it
        if source.sequence(call) > begin and name == "join" and not call.args:
            joins += [call] if PROCESS in source.types(call.func.value) else []
        elif owner == queue and name in GETS:
            gets.append(call)
    if not joins or not gets or _given_away(source, made, queue):
        return None
    first = min(gets, key=source.sequence)
    alone = source.sequence(first) > source.sequence(joins[0]) and not _together(source, joins[0], first)
    return _Drain(joins[0], first) if alone else None


def _together(source: Source, join: cst.Call, get: cst.Call) -> bool:
    """Whether both stand in one loop, or on two ways of which only one is taken."""
    around = list(source.ancestors(get))
    for outer in source.ancestors(join):
        if outer in around:
            child = next((one for one in source.ancestors(join) if source.parent(one) is outer), join)
            return isinstance(outer, cst.If) and child is not outer.test
        if isinstance(outer, (cst.If, cst.ExceptHandler)):
            return True  # joined on one way only
    return False


def _given_away(source: Source, made: Maker, queue: str) -> bool:
    """Whether somebody else may read it: a thread, a helper."""
    from conclint.source.makers import PROCESS, makers
    from conclint.source.paths import path_of
    from conclint.source.tree import below

    function = source.function_node(made.call)
    own = {id(part) for one in makers(source) if one.kind == PROCESS for part in below(one.call)}
    for arg in source.all(cst.Arg):
        inside = any(path_of(part) == queue for part in below(arg.value))
        if inside and id(arg) not in own and source.function_node(arg) is function:
            value = source.parent(arg)
            if not isinstance(value, cst.Call) or path_of(arg.value) == queue or _is_packed(arg.value):
                return True
    return False


def _is_packed(value: cst.BaseExpression) -> bool:
    return isinstance(value, (cst.Tuple, cst.List, cst.Dict, cst.Lambda))


def _swapped(source: Source, drain: _Drain) -> Fix | None:
    """The two statements the other way round, where each stands alone on a line and the one follows the other."""
    from conclint.source.edits import lines_of

    join, get = source.statement(drain.join), source.statement(drain.get)
    block = source.parent(join)
    if not isinstance(block, cst.IndentedBlock) or get not in block.body:
        return None
    statements = list(block.body)
    place = statements.index(join) if isinstance(join, cst.SimpleStatementLine) else -1
    plain = not drain.get.args and isinstance(get, cst.SimpleStatementLine)
    if place < 0 or not plain or statements[place + 1 :][:1] != [get]:
        return None
    one, other = source.span(join), source.span(get)
    lines = source.text.lines
    texts = (lines[one.line - 1][one.column - 1 :], lines[other.line - 1][other.column - 1 :])
    if not isinstance(source.parent(drain.join), cst.Expr) or one.line != one.end_line or other.line != one.line + 1:
        return None
    edits = (
        Edit(lines_of(source, join, join), source.indent(join) + texts[1]),
        Edit(lines_of(source, get, get), source.indent(get) + texts[0]),
    )
    return Fix("get before join", edits, Safety.SAFE) if other.line == other.end_line else None


RULE = Rule(
    code="CON606",
    name="join-before-drain",
    triggers=calls(PROCESS),
    check=check,
    examples=(
        Bad(
            """
            import multiprocessing as mp

            def produce(queue):
                queue.put("x" * 10_000_000)

            def run():
                queue = mp.Queue()
                process = mp.Process(target=produce, args=(queue,))
                process.start()
                process.join()  # expect: CON606
                text = queue.get()
                return text
            """,
            fixed="""
            import multiprocessing as mp

            def produce(queue):
                queue.put("x" * 10_000_000)

            def run():
                queue = mp.Queue()
                process = mp.Process(target=produce, args=(queue,))
                process.start()
                text = queue.get()
                process.join()  # expect: CON606
                return text
            """,
        ),
        Bad("""
            from multiprocessing import Process, Queue

            def produce(part, queue):
                queue.put(part)

            def run(parts):
                queue = Queue()
                running = []
                for part in parts:
                    process = Process(target=produce, args=(part, queue))
                    process.start()
                    running.append(process)
                for process in running:
                    process.join()  # expect: CON606
                results = []
                while not queue.empty():
                    results.append(queue.get())
                return results
            """),
        Bad("""
            import queue as plain
            from multiprocessing import get_context

            def isolated(work, payload, timeout):
                ctx = get_context("spawn")
                q = ctx.Queue(maxsize=1)
                proc = ctx.Process(target=work, args=(q, payload))
                proc.start()
                proc.join()  # expect: CON606
                if proc.exitcode == 0:
                    try:
                        return q.get(timeout=timeout)
                    except plain.Empty as error:
                        raise RuntimeError("no result") from error
                return None
            """),
        Good("""
            import multiprocessing as mp

            def run(produce):
                queue = mp.Queue()
                process = mp.Process(target=produce, args=(queue,))
                process.start()
                text = queue.get()
                process.join()
                return text
            """),
        Good("""
            import multiprocessing as mp

            def run(produce):
                queue = mp.Manager().Queue()
                process = mp.Process(target=produce, args=(queue,))
                process.start()
                process.join()
                return queue.get()
            """),
        Good("""
            import multiprocessing as mp

            def run(consume, jobs):
                queue = mp.Queue()
                process = mp.Process(target=consume, args=(queue,))
                process.start()
                for job in jobs:
                    queue.put(job)
                process.join()
                while not queue.empty():
                    print("left over", queue.get())
            """),
        Good("""
            import multiprocessing as mp

            def run(produce):
                queue = mp.Queue()
                process = mp.Process(target=produce, args=(queue,))
                process.start()
                process.join(10)
                return queue.get_nowait()
            """),
        Good("""
            import multiprocessing as mp
            import threading

            def drain(queue, found):
                for item in iter(queue.get, None):
                    found.append(item)

            def run(produce):
                queue, found = mp.Queue(), []
                reader = threading.Thread(target=drain, args=(queue, found))
                reader.start()
                process = mp.Process(target=produce, args=(queue,))
                process.start()
                process.join()
                queue.put(None)
                reader.join()
                return found
            """),
        Good("""
            import multiprocessing as mp

            def run(produce, parts):
                queue = mp.SimpleQueue()
                process = mp.Process(target=produce, args=(queue, parts))
                process.start()
                process.join()
                return queue.get()
            """),
    ),
)
