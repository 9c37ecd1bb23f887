"""Annotations as GitHub Actions reads them from a job's output."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conclint.model import Diagnostic
    from conclint.report import Material


def lines(material: Material) -> Iterator[str]:
    return map(_annotation, material.result.diagnostics)


def _annotation(diagnostic: Diagnostic) -> str:
    span = diagnostic.span
    places = {"file": diagnostic.path, "line": span.line, "col": span.column, "endLine": span.end_line}
    if span.end_line == span.line:
        places["endColumn"] = span.end_column  # GitHub takes it within one line only
    places["title"] = f"{diagnostic.code} {diagnostic.name}"
    properties = ",".join(f"{key}={_property(str(value))}" for key, value in places.items())
    return f"::error {properties}::{_data(_message(diagnostic))}"


def _message(diagnostic: Diagnostic) -> str:
    notes = [f"{note.place.path}:{note.place.span.line}: {note.message}" for note in diagnostic.finding.notes]
    return "\n".join([diagnostic.finding.message, *notes])


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
