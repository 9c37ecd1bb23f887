"""Expectations written as comments in the code they are about, compared with the alarms that a check raised.

work()  # expect: CON301, CON510     an alarm on this line, for each code
work()                               silence
work()  # missed: CON301 -- why      a known missed alarm: the test fails when it starts to fire
work()  # false-alarm: CON301 -- why a known false alarm: the test fails when it stops firing
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

CODE = r"CON\d{3}"
MARK = re.compile(rf"#\s*(expect|missed|false-alarm):\s*({CODE}(?:\s*,\s*{CODE})*)\s*(?:--\s*([^#]*\S))?")
ATTEMPT = re.compile(r"#\s*(expect|missed|false-alarm)\s*:")


@dataclass(frozen=True, order=True)
class Alarm:
    """One finding, as far as marks can say it."""

    path: str
    line: int
    code: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.code}"


@dataclass(frozen=True)
class Marks:
    """What the marks of one program say."""

    expected: frozenset[Alarm]
    missed: frozenset[Alarm]
    false_alarms: frozenset[Alarm]

    def only(self, code: str) -> Marks:
        """The marks that speak of `code`."""
        return Marks(*(frozenset(one for one in each if one.code == code) for each in self._kinds()))

    def _kinds(self) -> tuple[frozenset[Alarm], ...]:
        return self.expected, self.missed, self.false_alarms


class BadMark(ValueError):
    """A comment that begins like a mark but does not say one."""


def read_marks(files: Mapping[str, str]) -> Marks:
    """The marks in the texts of a program's files, by path."""
    found: dict[str, set[Alarm]] = {"expect": set(), "missed": set(), "false-alarm": set()}
    for path, text in files.items():
        for kind, alarm in _marks_of(path, text):
            found[kind].add(alarm)
    return Marks(frozenset(found["expect"]), frozenset(found["missed"]), frozenset(found["false-alarm"]))


def _marks_of(path: str, text: str) -> Iterator[tuple[str, Alarm]]:
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        marks = list(MARK.finditer(line))
        if len(marks) != len(ATTEMPT.findall(line)):
            raise BadMark(f"{path}:{number}: not a mark: {line.strip()}")
        for mark in marks:
            kind, codes, why = mark.groups()
            if kind != "expect" and not why:
                raise BadMark(f"{path}:{number}: `{kind}` needs a reason after ` -- `")
            for code in re.findall(CODE, codes):
                yield kind, Alarm(path, number, code)


def difference(marks: Marks, alarms: Iterable[Alarm], messages: Mapping[Alarm, str] | None = None) -> str:
    """What the alarms and the marks disagree about, one line each; empty when they agree."""
    raised = frozenset(alarms)
    unmarked = raised - marks.expected - marks.false_alarms - marks.missed
    complaints = [
        (marks.expected - raised, "expected, not raised"),
        (marks.false_alarms - raised, "known false alarm that no longer fires; drop its mark"),
        (marks.missed & raised, "known missed alarm that fires now; turn its mark into `expect`"),
        (unmarked, "raised, not expected"),
    ]
    says = messages or {}
    return "\n".join(
        f"{alarm}: {complaint}" + (f": {says[alarm]}" if alarm in says else "")
        for some, complaint in complaints
        for alarm in sorted(some)
    )
