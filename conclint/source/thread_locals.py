"""What coroutines keep in a `threading.local` while other tasks run."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.source.paths import path_of
from conclint.source.source import Source
from conclint.source.tree import below

LOCAL = "threading.local"

Stop = cst.Await | cst.For | cst.With | cst.CompFor


def across_await(source: Source) -> Iterator[tuple[cst.Attribute, cst.CSTNode, cst.Attribute]]:
    """Attributes that a coroutine sets, with the first `await` after that, and the first use after it."""
    for assignment in source.all(cst.Assign):
        for target in assignment.targets:
            write = target.target
            if isinstance(write, cst.Attribute) and source.in_coroutine(write) and _is_local(source, write.value):
                found = _used_later(source, write)
                if found is not None and not _is_made_where_missing(source, write):
                    yield write, *found


def _is_local(source: Source, owner: cst.BaseExpression) -> bool:
    return LOCAL in source.types(owner)


def _used_later(source: Source, write: cst.Attribute) -> tuple[cst.CSTNode, cst.Attribute] | None:
    around = source.function_node(write)
    path, begin = path_of(write), source.sequence(write)
    wait: cst.CSTNode | None = None
    for node in below(around) if around is not None else ():
        if source.sequence(node) <= begin or source.function_node(node) is not around:
            continue
        if wait is None and _waits(node):
            wait = node
        if wait is not None and isinstance(node, cst.Attribute) and path_of(node) == path:
            return wait, node
    return None


def _waits(node: cst.CSTNode) -> bool:
    if isinstance(node, (cst.For, cst.With, cst.CompFor)):
        return node.asynchronous is not None
    return isinstance(node, cst.Await)


def _is_made_where_missing(source: Source, write: cst.Attribute) -> bool:
    """Below a test of the same attribute, or where it turned out to be missing: it is kept for the thread."""
    owner = path_of(write.value)
    for outer in source.ancestors(write):
        if isinstance(outer, cst.ExceptHandler):
            return True
        if isinstance(outer, cst.If) and any(path_of(part) == owner for part in below(outer.test)):
            return True
        if isinstance(outer, cst.FunctionDef):
            return False
    return False
