"""Descriptors that compute a value on first use and keep it in the object: cached properties made at home."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.model import Place
from conclint.source.paths import path_of
from conclint.source.questions import same_function
from conclint.source.source import Source

KEPT = ".__dict__"


def computed_on_first_use(source: Source) -> Iterator[tuple[Place, str]]:
    """Where a `__get__` keeps what it calls for, having looked for it, with no lock held for both."""
    for function in source.all(cst.FunctionDef) if "def __get__" in source.text.text else ():
        if function.name.value == "__get__" and (key := _looked_for(source, function)):
            for statement in same_function(function.body):
                if isinstance(statement, cst.Assign) and isinstance(statement.value, cst.Call):
                    kept = [one.target for one in statement.targets if _item(source, one.target) == key]
                    if kept and not source.held(statement):
                        yield source.place(statement), source.code(kept[0])


def _looked_for(source: Source, function: cst.FunctionDef) -> str:
    """The item that the function returns as it finds it, in a `try` or under an `if`."""
    for node in same_function(function.body):
        if isinstance(node, cst.Return) and node.value is not None and (key := _item(source, node.value)):
            around = source.nearest(node, cst.Try, cst.If)
            if around is not None:
                return key
    return ""


def _item(source: Source, node: cst.CSTNode) -> str:
    """`obj.__dict__[name]`, as text."""
    kept = isinstance(node, cst.Subscript) and path_of(node.value).endswith(KEPT)
    return source.code(node) if kept else ""
