"""`value += 1` on a shared `Value` is two steps, and its lock covers one of them at a time.

`Value` lies in memory that processes share.  Its lock is taken for each read and for each write, not for the two
together: two processes read 5, both write 6, and one step is lost.

Hold the lock around the whole statement: `with counter.get_lock(): counter.value += 1`.

See https://docs.python.org/3/library/multiprocessing.html#multiprocessing.Value.

Not reported: values that a single process changes, items of an `Array` by a number that the function is given (each
process may have its own), and updates below any lock.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from conclint.knowledge.kinds import Context
from conclint.model import Finding, Fix, Safety
from conclint.program.triggers import updates
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.paths import path_of
from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.program.scene import RunScene
    from conclint.source.source import Source

VALUE, ARRAY = "multiprocessing.sharedctypes.Synchronized", "multiprocessing.sharedctypes.SynchronizedArray"
RAW = "ctypes._SimpleCData"


class Update(NamedTuple):
    """A statement that reads and writes a part of something shared."""

    statement: cst.AugAssign | cst.Assign
    shared: cst.BaseExpression
    part: str


def check(source: Source) -> Iterator[Finding]:
    for one in _updates(source):
        run = _run(source, one.statement)
        if run is None or _is_held(source, one.statement):
            continue
        name = source.code(one.shared)
        # One of several values of the file may be made without a lock: which, is not looked for.
        locked = RAW not in source.types(one.shared) and "lock=" not in source.text.text
        lock = f"`{name}.get_lock()`" if locked else "a `multiprocessing.Lock`"
        yield Finding(
            source.place(one.statement),
            f"`{name}{one.part}` is read and written in two steps, and processes lose what others wrote in between; "
            f"hold {lock} around it",
            notes=run.trace,
            fix=_locked(source, one.statement, name) if locked else None,
        )


def _updates(source: Source) -> Iterator[Update]:
    """`n.value += 1`, `n.value = n.value + 1`, `cells[0] += 1`."""
    found: list[tuple[cst.AugAssign | cst.Assign, cst.BaseAssignTargetExpression]] = [
        (update, update.target) for update in source.all(cst.AugAssign)
    ]
    for assign in source.all(cst.Assign):
        target = assign.targets[0].target
        if len(assign.targets) == 1 and _reads(assign.value, path_of(target)):
            found.append((assign, target))
    for statement, target in found:
        if isinstance(target, cst.Attribute) and target.attr.value == "value":
            if {VALUE, RAW} & {*source.types(target.value)}:
                yield Update(statement, target.value, ".value")
        elif isinstance(target, cst.Subscript) and ARRAY in source.types(target.value) and not _is_own(source, target):
            yield Update(statement, target.value, source.code(target)[len(source.code(target.value)) :])


def _reads(value: cst.BaseExpression, path: str) -> bool:
    """Whether what is assigned is reckoned from what was there: only `.value` is looked for."""
    if not path.endswith(".value") or not isinstance(value, cst.BinaryOperation):
        return False
    return any(isinstance(part, cst.Attribute) and path_of(part) == path for part in below(value))


def _is_own(source: Source, target: cst.Subscript) -> bool:
    """`cells[number] += 1`, where the function is given the number: each worker may have an item of its own."""
    index = target.slice[0].slice
    path = path_of(index.value) if isinstance(index, cst.Index) else ""
    function = source.function_node(target)
    params = [*function.params.params, *function.params.kwonly_params] if function is not None else []
    return "." in path or path in {param.name.value for param in params}


def _run(source: Source, node: cst.CSTNode) -> RunScene | None:
    """How several processes, or one and main, come to run this code."""
    function = source.function(node)
    runs = function.runs_in(Context.PROCESS) if function is not None else ()
    return next((run for run in runs if run.many or len(runs) > 1), None)


def _is_held(source: Source, node: cst.CSTNode) -> bool:
    """Whether any lock is held there, the value's own or another."""
    if source.held(node):
        return True
    for outer in source.ancestors(node):
        if isinstance(outer, cst.With) and any("lock" in source.code(item.item).lower() for item in outer.items):
            return True
        if isinstance(outer, (cst.FunctionDef, cst.Lambda)):
            return False
    return False


def _locked(source: Source, update: cst.AugAssign | cst.Assign, name: str) -> Fix | None:
    """The statement below `with x.get_lock():`."""
    from conclint.source.edits import wrapped

    statement = source.statement(update)
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return None
    edit = wrapped(source, [statement], f"with {name}.get_lock():")
    return Fix("hold the value's own lock", (edit,), Safety.SAFE) if edit is not None else None


RULE = Rule(
    code="CON609",
    name="unlocked-shared-value",
    triggers=updates(VALUE, ARRAY, RAW),
    check=check,
    examples=(
        Bad(
            """
            import multiprocessing as mp

            def count(total, words):
                for word in words:
                    total.value += 1  # expect: CON609

            def run(pages):
                total = mp.Value("i", 0)
                children = [mp.Process(target=count, args=(total, page)) for page in pages]
                for child in children:
                    child.start()
                for child in children:
                    child.join()
                return total.value
            """,
            fixed="""
            import multiprocessing as mp

            def count(total, words):
                for word in words:
                    with total.get_lock():
                        total.value += 1  # expect: CON609

            def run(pages):
                total = mp.Value("i", 0)
                children = [mp.Process(target=count, args=(total, page)) for page in pages]
                for child in children:
                    child.start()
                for child in children:
                    child.join()
                return total.value
            """,
        ),
        Bad("""
            from multiprocessing import Pool, Value

            done = Value("L", 0, lock=True)

            def render(frame):
                done.value += 1  # expect: CON609
                return frame * 2

            def render_all(frames):
                with Pool() as pool:
                    return pool.map(render, frames)
            """),
        Bad("""
            import multiprocessing

            class Meter:
                def __init__(self):
                    self.bytes = multiprocessing.Value("d", 0.0)

                def fetch(self, url):
                    self._add(len(url))

                def _add(self, size):
                    self.bytes.value += size  # expect: CON609

                def run(self, urls):
                    for url in urls:
                        multiprocessing.Process(target=self.fetch, args=(url,)).start()
            """),
        Good("""
            import multiprocessing as mp

            def count(total, words):
                for word in words:
                    with total.get_lock():
                        total.value += 1

            def run(pages):
                total = mp.Value("i", 0)
                children = [mp.Process(target=count, args=(total, page)) for page in pages]
                for child in children:
                    child.start()
                for child in children:
                    child.join()
            """),
        Good("""
            import multiprocessing as mp

            def count(progress, words):
                for word in words:
                    progress.value += 1  # this child alone writes

            def run(words):
                progress = mp.Value("i", 0)
                child = mp.Process(target=count, args=(progress, words))
                child.start()
                print(progress.value)
                child.join()
            """),
        Good("""
            import multiprocessing as mp

            def count(total, guard, words):
                guard.acquire()
                try:
                    total.value += len(words)
                finally:
                    guard.release()

            def run(pages):
                total, guard = mp.Value("i", 0, lock=False), mp.Lock()
                for page in pages:
                    mp.Process(target=count, args=(total, guard, page)).start()
            """),
        Good("""
            import multiprocessing as mp

            def count(sizes, rank, words):
                sizes[rank] += len(words)

            def run(pages):
                sizes = mp.Array("i", len(pages))
                for rank, page in enumerate(pages):
                    mp.Process(target=count, args=(sizes, rank, page)).start()
            """),
    ),
)
