"""Fixes to one file's text: which of them go together, and the text with them applied."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from conclint.model import Edit, Fix
from conclint.text import Text


class _Change(NamedTuple):
    """An edit as offsets into the text; `text` has the file's newlines."""

    begin: int
    end: int
    text: str

    @property
    def adds_lines(self) -> bool:
        return self.begin == self.end and self.text.endswith(("\n", "\r"))


class Draft:
    """A text to which fixes are added one by one, each whole or not at all."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self._changes: list[_Change] = []

    def add(self, fix: Fix) -> bool:
        """Add the fix, unless it meets one that is there already.  ValueError if it points outside of the text."""
        changes = [self._change(edit) for edit in fix.edits]
        new = [change for change in changes if not (change.adds_lines and change in self._changes)]
        if not all(map(self._goes_with_others, new)) or not _apart(changes):
            return False
        self._changes += new
        return True

    def result(self) -> str:
        """The text with all fixes in it."""
        text = self._text.text
        parts: list[str] = []
        at = 0
        for change in sorted(self._changes, key=_order):
            parts += [text[at : change.begin], change.text]
            at = change.end
        return "".join([*parts, text[at:]])

    def _goes_with_others(self, change: _Change) -> bool:
        return not any(_meet(change, other) for other in self._changes)

    def _change(self, edit: Edit) -> _Change:
        span, whole = edit.span, self._text
        text = edit.text.replace("\r\n", "\n").replace("\n", whole.newline)
        if span.line == len(whole.lines) + 1 and span.column == 1 and not whole.text.endswith(("\n", "\r")):
            # After a last line that has no newline of its own.
            return _Change(len(whole.text), len(whole.text), (whole.newline if whole.text else "") + text)
        begin, end = whole.offset(span.line, span.column), whole.offset(span.end_line, span.end_column)
        if begin > end:
            raise ValueError(f"line {span.line}, column {span.column} is behind its own end")
        return _Change(begin, end, text)


def _order(change: _Change) -> tuple[int, int, bool]:
    """Lines added at one place keep their order, imports first: what is imported may be used in the next line."""
    return change.begin, change.end, not change.text.startswith(("import ", "from "))


def _apart(changes: Iterable[_Change]) -> bool:
    """Whether the edits of one fix leave each other alone; at one place they may follow each other."""
    ordered = sorted(changes, key=lambda change: (change.begin, change.end))
    return all(one.end <= other.begin for one, other in pairwise(ordered))


def _meet(one: _Change, other: _Change) -> bool:
    """Whether two fixes' edits touch the same text, or their order at one place would matter."""
    if one.begin == one.end and other.begin == other.end:
        return one.begin == other.begin and not (one.adds_lines and other.adds_lines)
    if one.begin == one.end:
        return other.begin < one.begin < other.end
    if other.begin == other.end:
        return one.begin < other.begin < one.end
    return one.begin < other.end and other.begin < one.end
