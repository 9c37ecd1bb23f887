"""Edits that several rules' fixes share: blocks moved to the right, `with` around statements; imports in `imports`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import libcst as cst

from conclint.model import Edit, Span
from conclint.source.imports import Import, imported
from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.source.source import Source

__all__ = ["Import", "add_line", "imported", "indent_unit", "lines_of", "shifted", "wrapped", "written"]


def indent_unit(source: Source, node: cst.CSTNode) -> str:
    """One step of indentation, as the text around the node has it."""
    return "\t" if source.indent(node).startswith("\t") else source.module(node).default_indent


def lines_of(source: Source, first: cst.CSTNode, last: cst.CSTNode) -> Span:
    """The whole lines from the first statement's to the last one's, ends of lines excluded."""
    end = source.span(last).end_line
    return Span(_first_line(source, first), 1, end, len(source.text.lines[end - 1]) + 1)


def shifted(source: Source, first: cst.CSTNode, last: cst.CSTNode, unit: str) -> str:
    """The lines from `first` to `last` one step to the right; what stands inside a string keeps its place."""
    span = lines_of(source, first, last)
    kept = set(_inside_strings(source, first, last))
    lines = source.text.lines[span.line - 1 : span.end_line]
    return "\n".join(
        line if number in kept or not line.strip() else unit + line
        for number, line in enumerate(lines, start=span.line)
    )


def written(source: Source, node: cst.CSTNode) -> str:
    """The node as it is written, its further lines where they stand."""
    span = source.span(node)
    lines = list(source.text.lines[span.line - 1 : span.end_line])
    lines[-1] = lines[-1][: span.end_column - 1]
    lines[0] = lines[0][span.column - 1 :]
    return "\n".join(lines)


def unwrapped(source: Source, block: cst.With) -> Edit | None:
    """The edit that leaves of a `with` only its body, one step to the left; None where lines stand further left."""
    body = block.body
    if not isinstance(body, cst.IndentedBlock) or not isinstance(source.parent(block), (cst.IndentedBlock, cst.Module)):
        return None
    first, last = body.body[0], body.body[-1]
    inner, outer = source.indent(first), source.indent(block)
    head, span = lines_of(source, block, block), lines_of(source, first, last)
    kept = set(_inside_strings(source, first, last))
    lines = list(enumerate(source.text.lines[head.line : span.end_line], start=head.line + 1))
    if any(number not in kept and line.strip() and not line.startswith(inner) for number, line in lines):
        return None  # a continued line, or a comment
    _, mark, comment = source.text.lines[head.line - 1].rpartition("#")
    text = [outer + mark + comment] if mark else []
    text += [line if number in kept else line.replace(inner, outer, 1) for number, line in lines]
    return Edit(Span(head.line, 1, span.end_line, span.end_column), "\n".join(text))


def wrapped(source: Source, statements: Sequence[cst.BaseStatement], header: str) -> Edit | None:
    """The edit that puts neighbouring statements of one block under `header` (`with lock:`); None on a shared line."""
    first, last = statements[0], statements[-1]
    if not isinstance(source.parent(first), (cst.IndentedBlock, cst.Module)):
        return None  # `if x: y` on one line
    text = shifted(source, first, last, indent_unit(source, first))
    return Edit(lines_of(source, first, last), f"{source.indent(first)}{header}\n{text}")


def add_line(source: Source, before: cst.CSTNode, text: str) -> Edit:
    """The edit that puts a line of its own before a statement, with that statement's indentation."""
    line = _first_line(source, source.statement(before))
    return Edit(Span(line, 1, line, 1), f"{source.indent(before)}{text}\n")


def _first_line(source: Source, statement: cst.CSTNode) -> int:
    """A definition begins with its decorators."""
    if isinstance(statement, (cst.FunctionDef, cst.ClassDef)) and statement.decorators:
        statement = statement.decorators[0]
    return source.line(statement)


def _inside_strings(source: Source, first: cst.CSTNode, last: cst.CSTNode) -> Iterator[int]:
    """The lines that begin inside a string literal."""
    block = source.parent(first)
    statements: list[cst.CSTNode] = list(block.body) if isinstance(block, (cst.IndentedBlock, cst.Module)) else [first]
    for statement in statements[statements.index(first) : statements.index(last) + 1]:
        for node in below(statement):
            if isinstance(node, (cst.SimpleString, cst.FormattedString)):
                span = source.span(node)
                yield from range(span.line + 1, span.end_line + 1)
