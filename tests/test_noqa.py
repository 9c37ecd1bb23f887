"""`# noqa` means what it means to flake8."""

from __future__ import annotations

import argparse

import pytest
from flake8.processor import FileProcessor
from flake8.violation import Violation
from hypothesis import given
from hypothesis import strategies as st

from conclint.noqa import Suppressions
from conclint.text import decode

PROGRAM = '''import os  # noqa
a = 1  # NOQA: CON301
b = 2  # noqa:CON301,E501
c = 3  # noqa: CON3
d = 4  # noqa : CON301
e = 5  # noqa: E501
f = """
text
"""  # noqa: CON302
g = call(
    1,  # noqa: CON4
    2,
)
h = "# noqa"
i = 6  # noqa: con301
j = 7  # noqa:  CON301
k = 8  # see below # noqa: CON301 CON302 -- the reason
l = """# noqa: CON1
# noqa: CON2
"""
m = 1 + \\
    2  # noqa: CON9

'''
CODES = ("CON101", "CON201", "CON301", "CON302", "CON401", "CON9", "E501")


def flake8_hides(text: str, code: str, line: int) -> bool:
    options = argparse.Namespace(disable_noqa=False, hang_closing=False, max_line_length=100, max_doc_length=None)
    for name in ("indent_size", "verbose"):
        setattr(options, name, 4)
    processor = FileProcessor("x.py", options, [f"{part}\n" for part in decode(text.encode()).lines])
    if processor.should_ignore_file():
        return True
    found = processor.noqa_line_for(line)
    if found is None:
        found = processor.lines[line - 1]
    return Violation(code, "x.py", line, 1, "", found).is_inline_ignored(disable_noqa=False)


def same_as_flake8(text: str) -> None:
    ours = Suppressions(text.encode())
    for line in range(1, len(decode(text.encode()).lines) + 1):
        for code in CODES:
            assert ours.hides(code, line) == flake8_hides(text, code, line), (line, code)


def test_every_spelling_as_flake8() -> None:
    same_as_flake8(PROGRAM)


def test_broken_tokens_as_flake8() -> None:
    same_as_flake8(PROGRAM + 'x = (\n"""\n# noqa: CON1\n')


@pytest.mark.parametrize(
    "line", ["# flake8: noqa", "  # FLAKE8=NOQA", "x = 1  # flake8: noqa", "# flake8:noqa: CON1", "# flake8: noq"]
)
def test_whole_files_as_flake8(line: str) -> None:
    same_as_flake8(f"a = 1\n{line}\nb = 2\n")


@given(st.lists(st.sampled_from(PROGRAM.splitlines(keepends=True)), max_size=12))
def test_any_arrangement_as_flake8(lines: list[str]) -> None:
    same_as_flake8("".join(lines))


def test_lines_outside_the_file_and_unreadable_files_hide_nothing() -> None:
    assert not Suppressions(b"x  # noqa\n").hides("CON101", 0)
    assert not Suppressions(b"x  # noqa\n").hides("CON101", 2)
    assert not Suppressions(b"x = '\xff'  # noqa\n").hides("CON101", 1)
