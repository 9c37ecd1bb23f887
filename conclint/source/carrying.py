"""Fixes that carry the caller's context into a thread."""

from __future__ import annotations

import libcst as cst

from conclint.model import Edit, Fix, Safety, Span
from conclint.source.imports import imported
from conclint.source.source import Source

# By the last name of what starts: the position of the function that it is given.
POSITIONS = {"submit": 0, "run_in_executor": 1}


def in_copied_context(source: Source, span: Span) -> Fix | None:
    """Submits the function's `run` in a copy of the context; several threads of a `map` could not enter one copy."""
    calls = (one for one in source.all(cst.Call) if _begins(source.span(one), span))
    given = next((found for one in calls if (found := _function(one)) is not None), None)
    copier = imported(source, "contextvars", "copy_context") if given is not None else None
    if given is None or copier is None:
        return None
    place = source.span(given)
    here = Span(place.line, place.column, place.line, place.column)
    edits = (*copier.edits, Edit(here, f"{copier.spelled}().run, "))
    return Fix("run it in a copy of the context", edits, safety=Safety.UNSAFE)


def _begins(span: Span, wanted: Span) -> bool:
    return (span.line, span.column) == (wanted.line, wanted.column)


def _function(call: cst.Call) -> cst.BaseExpression | None:
    """The function that the thread is given, where something can be put before it."""
    position = POSITIONS.get(call.func.attr.value) if isinstance(call.func, cst.Attribute) else None
    if position is None or len(call.args) <= position:
        return None
    plain = all(not one.star and one.keyword is None for one in call.args[: position + 1])
    return call.args[position].value if plain else None
