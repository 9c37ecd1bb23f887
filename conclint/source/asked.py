"""What decides whether a statement happens: the names in the tests of the plain `if`s around it."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.source.paths import path_of
from conclint.source.questions import leaves
from conclint.source.source import Source
from conclint.source.tree import children

# What stands below one of these happens instead of something else.
OTHERWISE = (cst.ExceptHandler, cst.ExceptStarHandler, cst.MatchCase, cst.IfExp, cst.BooleanOperation)


def asked_before(source: Source, node: cst.CSTNode) -> tuple[str, ...]:
    """Nothing where there is another way as well, `else`, or where the branch is the last that the function does."""
    found: dict[str, None] = {}
    child = node
    for outer in source.ancestors(node):
        if isinstance(outer, (cst.FunctionDef, cst.Lambda, cst.ClassDef)):
            break
        if isinstance(outer, OTHERWISE):
            return ()
        if isinstance(outer, cst.If):
            elif_ = isinstance(above := source.parent(outer), cst.If) and above.orelse is outer
            if child is not outer.body or outer.orelse is not None or elif_ or leaves(outer.body):
                return ()
            found.update(dict.fromkeys(_paths(outer.test)))
        child = outer
    return tuple(found)


def _paths(test: cst.CSTNode) -> Iterator[str]:
    """The variables and attributes that are asked: `self.options.early`."""
    if isinstance(test, (cst.Name, cst.Attribute)) and (path := path_of(test)):
        yield path
        return
    for inner in children(test):
        yield from _paths(inner)
