"""`wait` and `as_completed` say that the work is over, not that it succeeded: its exceptions stay in the futures.

Neither of them raises what went wrong in a worker. A program that waits for its futures and never asks one of them for
`result()` or `exception()` goes on with half of the work undone, and nothing is printed.

Ask each future: `for future in done: future.result()`.

Not reported: futures that are asked, returned, passed on or kept; work that catches all its exceptions itself; and
futures with a callback.

See https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.wait
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.pools import Gives
from conclint.model import Finding
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.paths import path_of

if TYPE_CHECKING:
    from conclint.source.futures import Given
    from conclint.source.source import Source

WAIT, COMPLETED = "concurrent.futures.wait", "concurrent.futures.as_completed"


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.futures import handles_its_errors
    from conclint.source.testcode import in_test

    for call in source.all(cst.Call):
        if not source.calls(call, WAIT, COMPLETED) or not call.args or in_test(source, call):
            continue
        if not _ignored(source, call):
            continue
        submitted = list(_submitted(source, call.args[0].value))
        if submitted and not all(handles_its_errors(source, one) for one in submitted):
            name = path_of(call.func).rpartition(".")[2]
            message = f"`{name}` does not raise what went wrong in the workers, and nobody asks these futures"
            yield Finding(source.place(call), f"{message}; ask each for its `result()`")


def _ignored(source: Source, call: cst.Call) -> bool:
    """Whether nobody looks at the futures that come out of the call."""
    from conclint.source.variables import bound_to, reads

    outer = source.parent(call)
    if isinstance(outer, cst.Expr):
        return source.calls(call, WAIT)
    if isinstance(outer, cst.Arg) and isinstance(wrapper := source.parent(outer), cst.Call):
        loop = source.parent(wrapper)  # `tqdm(as_completed(…))`
        outer = loop if path_of(wrapper.func).rpartition(".")[2] in ("tqdm", "list", "track", "enumerate") else outer
    if isinstance(outer, cst.For) and (future := _one_of(outer.target)) is not None:
        return all(_is_key(source, one) for one in reads(source, future))
    name = bound_to(source, call)
    if name is not None:
        return not reads(source, name)
    targets = _targets(outer)
    return bool(targets) and not any(reads(source, one) for one in targets)


def _one_of(target: cst.BaseExpression) -> cst.Name | None:
    """The name of each future: `for future in …`, `for number, future in enumerate(…)`."""
    last = target.elements[-1].value if isinstance(target, cst.Tuple) and len(target.elements) == 2 else target
    return last if isinstance(last, cst.Name) else None


def _is_key(source: Source, name: cst.Name) -> bool:
    """`names[future]`: only what belongs to it is looked up."""
    index = source.parent(name)
    element = source.parent(index) if isinstance(index, cst.Index) else None
    return element is not None and isinstance(source.parent(element), cst.Subscript)


def _targets(outer: cst.CSTNode | None) -> list[cst.Name]:
    """`done` and `waiting` in `done, waiting = wait(…)`."""
    target = outer.targets[0].target if isinstance(outer, cst.Assign) and len(outer.targets) == 1 else None
    values = [one.value for one in target.elements] if isinstance(target, cst.Tuple) else []
    names = [one for one in values if isinstance(one, cst.Name)]
    return names if len(names) == len(values) else []


def _submitted(source: Source, futures: cst.BaseExpression) -> Iterator[Given]:
    """The submissions whose futures are waited for, where nobody else looks at these."""
    from conclint.source.futures import given
    from conclint.source.tree import below
    from conclint.source.variables import added_to, made_empty

    inside = {id(node) for node in below(futures)}
    for one in given(source):
        if one.gives is not Gives.FUTURE:
            continue
        container = added_to(source, one.call)
        if id(one.call) in inside:
            yield one
        elif container is not None and isinstance(futures, cst.Name) and container.value == futures.value:
            filled = source.parent(container)
            own = isinstance(filled, cst.AssignTarget) or made_empty(source, container)
            if source.function_node(container) is source.function_node(futures) and own and _alone(source, container):
                yield one


def _alone(source: Source, futures: cst.Name) -> bool:
    """Whether the container is only filled, counted and waited for."""
    from conclint.source.variables import only_fills, reads

    return all(
        only_fills(source, one) or _only_waits(source, one) or _looks_up(source, one) for one in reads(source, futures)
    )


def _looks_up(source: Source, name: cst.Name) -> bool:
    """`names[future]`, of a dict that is filled otherwise."""
    outer = source.parent(name)
    return (
        isinstance(outer, cst.Subscript) and outer.value is name and not isinstance(source.parent(outer), cst.Attribute)
    )


def _only_waits(source: Source, name: cst.Name) -> bool:
    outer = source.parent(name)
    call = source.parent(outer) if isinstance(outer, cst.Arg) else None
    if not isinstance(call, cst.Call):
        return False
    return path_of(call.func) == "len" or (source.calls(call, WAIT, COMPLETED) and _ignored(source, call))


RULE = Rule(
    code="CON806",
    name="waited-but-unchecked",
    triggers=calls(WAIT, COMPLETED),
    check=check,
    examples=(
        Bad("""
            from concurrent.futures import ThreadPoolExecutor, wait

            def save_all(save, rows):
                with ThreadPoolExecutor() as pool:
                    futures = [pool.submit(save, row) for row in rows]
                    wait(futures)  # expect: CON806
                print("saved", len(futures))
            """),
        Bad("""
            import concurrent.futures as cf

            def save_all(save, rows, pool: cf.ThreadPoolExecutor):
                futures = set()
                for row in rows:
                    futures.add(pool.submit(save, row))
                done, waiting = cf.wait(futures, timeout=5)  # expect: CON806
                cf.wait({pool.submit(save, row) for row in rows})  # expect: CON806
            """),
        Bad("""
            from concurrent import futures

            from tqdm import tqdm

            def save_all(save, rows):
                with futures.ProcessPoolExecutor() as pool:
                    waiting = {pool.submit(save, row): row for row in rows}
                    for future in tqdm(futures.as_completed(waiting), total=len(waiting)):  # expect: CON806
                        print(".", end="")
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor, as_completed, wait

            def save_all(save, rows):
                with ThreadPoolExecutor() as pool:
                    futures = [pool.submit(save, row) for row in rows]
                    wait(futures)
                    for future in futures:
                        future.result()
                    done, waiting = wait([pool.submit(save, row) for row in rows])
                    for future in done:
                        print(future.exception())
                    more = {pool.submit(save, row): row for row in rows}
                    for future in as_completed(more):
                        print(more[future], future.result())
            """),
        Good("""
            import logging
            from concurrent.futures import ThreadPoolExecutor, wait

            def save(row):
                try:
                    print(row)
                except Exception:
                    logging.exception("cannot save")

            def save_all(rows, kept, log):
                with ThreadPoolExecutor() as pool:
                    wait([pool.submit(save, row) for row in rows])
                    futures = [pool.submit(print, row) for row in rows]
                    for future in futures:
                        future.add_done_callback(log)
                    wait(futures)
                    for row in rows:
                        kept.append(pool.submit(print, row))
                    wait(kept)
            """),
    ),
)
