"""Marked programs: every file and folder in `fixtures/` is one program, checked by all rules at once.

Those in `fixtures/variants/` are about one rule each, which their names begin with, and are checked by it alone.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from conclint.config import load
from conclint.knowledge import BUILTIN
from conclint.rules import all_rules
from tests.marks import difference, read_marks
from tests.programs import CONFIG, alarms_of

FIXTURES = Path(__file__).parent.parent / "fixtures"
# Advice about taste, not defects: looked at only in programs that mark it.
ADVICE = frozenset({"CON104", "CON116", "CON123", "CON207"})
VARIANTS = FIXTURES / "variants"


def programs_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if (path.suffix == ".py" or path.is_dir()) and path != VARIANTS)


PROGRAMS = programs_in(FIXTURES)


def files_of(program: Path) -> dict[str, bytes]:
    found = [program] if program.is_file() else sorted(program.rglob("*.py"))
    return {path.relative_to(FIXTURES).as_posix(): path.read_bytes() for path in found}


def config_of(program: Path):
    if not (program / "pyproject.toml").is_file():
        return CONFIG
    own = load(program, {rule.code for rule in all_rules()}, BUILTIN)
    return replace(own, project=None)  # the files are named from further up


@pytest.mark.parametrize("program", [pytest.param(path, id=path.name) for path in PROGRAMS])
def test_alarms_are_the_marks(program):
    files = files_of(program)
    marks = read_marks({path: data.decode() for path, data in files.items()})
    ignored = ADVICE - {alarm.code for alarm in (*marks.expected, *marks.missed, *marks.false_alarms)}
    # What rests on weak evidence is marked only in programs that are about it.
    found = alarms_of(files, "CON", config_of(program), weak=program.name.startswith("weak_"))
    raised = {alarm: said for alarm, said in found.items() if alarm.code not in ignored}
    assert difference(marks, raised, raised) == ""


@pytest.mark.parametrize("program", [pytest.param(path, id=path.name) for path in programs_in(VARIANTS)])
def test_alarms_of_the_rule_are_the_marks(program):
    code = program.name[:6].upper()
    files = files_of(program)
    marks = read_marks({path: data.decode() for path, data in files.items()})
    found = alarms_of(files, code, weak="_weak" in program.name)
    assert marks == marks.only(code), "marks of other rules belong elsewhere"
    assert difference(marks, found, found) == ""


def test_the_demo_shows_the_five_in_different_files():
    marks = read_marks({path: data.decode() for path, data in files_of(FIXTURES / "demo").items()})
    codes = {alarm.code for alarm in marks.expected}
    assert codes in (
        {"CON101", "CON103", "CON201", "CON301", "CON510"},
        {"CON101", "CON103", "CON202", "CON301", "CON510"},
    )
    assert len({alarm.path for alarm in marks.expected}) == len(marks.expected) == 5


def test_each_rule_has_three_bad_programs_lines():
    """Three variants at least of each rule, over all programs."""
    counted: dict[str, int] = {}
    for program in PROGRAMS:
        for alarm in read_marks({path: data.decode() for path, data in files_of(program).items()}).expected:
            counted[alarm.code] = counted.get(alarm.code, 0) + 1
    rare = {rule.code for rule in all_rules() if (rule.check or rule.conclude) and counted.get(rule.code, 0) < 3}
    assert not rare
