"""What a rule says, and what a run answers: plain frozen data, shared by every room.

Lines and columns count from 1.  A column counts characters of the decoded line (not bytes); an end column names the
character after the last one, so an empty span has equal ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Safety(Enum):
    """Whether a fix may change what the program does."""

    SAFE = "safe"  # same behaviour, comments kept: applied by --fix
    UNSAFE = "unsafe"  # a reader must agree: applied by --fix --unsafe-fixes


@dataclass(frozen=True, order=True)
class Span:
    """A stretch of one file's text."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, order=True)
class Place:
    """A stretch of text in the file at `path` (as the user named it, `/` between folders)."""

    path: str
    span: Span


@dataclass(frozen=True)
class Edit:
    """The text of `span` becomes `text`; an empty span inserts."""

    span: Span
    text: str


@dataclass(frozen=True)
class Fix:
    """Edits to the finding's own file that mend it: all of them or none."""

    title: str
    edits: tuple[Edit, ...]
    safety: Safety = Safety.UNSAFE


@dataclass(frozen=True)
class Note:
    """A second place that explains a finding: how the code comes to run in a thread, the other access of a race."""

    place: Place
    message: str


@dataclass(frozen=True)
class Finding:
    """One defect, as its rule words it: what happens, then what to do.

    `when_asked`: it rests on less than others of its rule, and is shown only where its code is selected by name.
    `about`: what its fix needs beside the place, as code: the lock to be held.
    """

    place: Place
    message: str
    notes: tuple[Note, ...] = ()
    fix: Fix | None = None
    when_asked: bool = False
    about: str = ""


@dataclass(frozen=True)
class Diagnostic:
    """A finding under its rule's code, as every output format receives it."""

    code: str
    name: str
    finding: Finding

    @property
    def path(self) -> str:
        return self.finding.place.path

    @property
    def span(self) -> Span:
        return self.finding.place.span

    @property
    def sort_key(self) -> tuple[str, Span, str, str]:
        return (self.path, self.span, self.code, self.finding.message)


@dataclass(frozen=True)
class Failure:
    """conclint's own fault: the work on `path` that raised, and in which rule (empty: outside every rule)."""

    path: str
    rule: str
    error: str


@dataclass(frozen=True)
class Result:
    """What one run answers: diagnostics sorted by place, after selection and suppression; `files` counts files read."""

    diagnostics: tuple[Diagnostic, ...]
    failures: tuple[Failure, ...] = ()
    files: int = 0
