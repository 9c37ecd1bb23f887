"""Locks that are made where somebody first needs them, with no lock held for that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.program.deeds import CONSTRUCTION
from conclint.source.lockagain import ALONE, is_part_of_init
from conclint.source.locklocal import makes_lock
from conclint.source.paths import path_of
from conclint.source.testcode import in_test

if TYPE_CHECKING:
    from conclint.source.source import Source


def lazy_locks(source: Source) -> Iterator[tuple[cst.Call, str]]:
    """`if self._lock is None: self._lock = Lock()`, with `hasattr` and `except AttributeError` too."""
    for assign in source.all(cst.Assign):
        made, function = assign.value, source.function_node(assign)
        if not isinstance(made, cst.Call) or not makes_lock(source, made) or not isinstance(function, cst.FunctionDef):
            continue
        text = path_of(assign.targets[0].target)
        store = source.named(assign.targets[0].target).store
        shared = store is not None and store.sort in ("attribute", "global")
        of_threads = any(name.startswith("threading.") for name in source.names(made.func))
        if shared and of_threads and not _is_alone(source, assign, function) and _is_missing(source, assign, text):
            yield made, text


def _is_alone(source: Source, assign: cst.Assign, function: cst.FunctionDef) -> bool:
    """Whether nobody else has the object yet, or a lock keeps them out."""
    name = function.name.value
    begins = name in CONSTRUCTION or name.startswith("__") or ALONE.search(name) is not None
    begins = begins or is_part_of_init(source, name)
    own = path_of(assign.targets[0].target).rpartition(".")[2]
    # `if lock is None: … else: …` counts as held where it stands in the test.
    others = [lock for lock in source.held(assign) if lock.rpartition("|")[2].rpartition(".")[2] != own]
    return begins or function.asynchronous is not None or bool(others) or in_test(source, assign)


def _is_missing(source: Source, assign: cst.Assign, text: str) -> bool:
    """Whether it is made because there is none yet."""
    last = text.rpartition(".")[2]
    absent = (f"{text} is None", f"not {text}", f'"{last}"', f"'{last}'")
    child: cst.CSTNode = assign
    for outer in source.ancestors(assign):
        if isinstance(outer, cst.FunctionDef):
            return False
        if isinstance(outer, cst.If) and child is outer.body:
            test = source.code(outer.test)
            simple = not {"or", "and"} & {*test.split()} and "pid" not in test
            if simple and any(one in test for one in absent):
                return True
        if isinstance(outer, cst.Try) and isinstance(child, cst.ExceptHandler):
            error = path_of(child.type) if child.type is not None else ""
            return error in ("AttributeError", "NameError") and last in source.code(outer.body)
        child = outer
    return False
