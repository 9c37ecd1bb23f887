"""One JSON array with everything that is known of each finding."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conclint.model import Diagnostic, Edit, Fix, Note, Span
    from conclint.report import Material


def lines(material: Material) -> Iterator[str]:
    found = [json.dumps(_diagnostic(diagnostic)) for diagnostic in material.result.diagnostics]
    yield "["
    yield from (f"  {each}{',' if number < len(found) else ''}" for number, each in enumerate(found, 1))
    yield "]"


def _diagnostic(diagnostic: Diagnostic) -> dict[str, object]:
    finding = diagnostic.finding
    return {
        "code": diagnostic.code,
        "name": diagnostic.name,
        "message": finding.message,
        "path": diagnostic.path,
        **_span(diagnostic.span),
        "notes": [_note(note) for note in finding.notes],
        "fix": _fix(finding.fix) if finding.fix else None,
    }


def _span(span: Span) -> dict[str, object]:
    return {
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }


def _note(note: Note) -> dict[str, object]:
    span = note.place.span
    return {"path": note.place.path, "line": span.line, "column": span.column, "message": note.message}


def _fix(fix: Fix) -> dict[str, object]:
    return {"title": fix.title, "safety": fix.safety.value, "edits": [_edit(edit) for edit in fix.edits]}


def _edit(edit: Edit) -> dict[str, object]:
    return {**_span(edit.span), "text": edit.text}
