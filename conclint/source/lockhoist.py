"""The edit that makes a lock once, at the top level of its file, instead of anew in every call."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import libcst as cst

from conclint.model import Edit, Span
from conclint.source.imports import imported

if TYPE_CHECKING:
    from conclint.source.source import Source

WORDS = {"Condition": "condition", "Semaphore": "slots", "BoundedSemaphore": "slots"}


def lock_made_once(source: Source, made: cst.Call, comment: str = "") -> tuple[str, Edit] | None:
    """A free name for the lock that `made` makes, and the edit that binds it before the outermost definition."""
    function = source.nearest(made, cst.FunctionDef)
    top = _outermost(source, made)
    module, _, kind = next(iter(source.names(made.func)), "").rpartition(".")
    spelled = imported(source, module, kind)
    if function is None or not isinstance(top, (cst.FunctionDef, cst.ClassDef)) or spelled is None or spelled.edits:
        return None  # module code, or an import that only the function knows
    if not all(isinstance(arg.value, cst.Integer) for arg in made.args):
        return None
    name = f"_{function.name.value.strip('_')}_{WORDS.get(kind, 'lock')}"
    if re.search(rf"\b{name}\b", source.text.text):
        return None
    line = _first_line(source, top)
    arguments = source.code(made)[len(source.code(made.func)) :]
    gap = "\n" * (_blank_lines(source, line) + 1)
    return name, Edit(Span(line, 1, line, 1), f"{name} = {spelled.spelled}{arguments}{comment}{gap}")


def _blank_lines(source: Source, line: int) -> int:
    """How many blank lines the file has before that one."""
    found = 0
    while line - found > 1 and not source.text.lines[line - found - 2].strip():
        found += 1
    return found


def _outermost(source: Source, node: cst.CSTNode) -> cst.CSTNode:
    found = node
    for outer in source.ancestors(node):
        if isinstance(outer, cst.Module):
            break
        found = outer
    return found


def _first_line(source: Source, top: cst.FunctionDef | cst.ClassDef) -> int:
    """Above its decorators and the comment that belongs to it."""
    line = source.span(top.decorators[0] if top.decorators else top).line
    while line > 1 and source.text.lines[line - 2].startswith("#"):
        line -= 1
    return line
