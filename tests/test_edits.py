"""Fixes go into a text whole or not at all, and only those that leave each other alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conclint.edits import Draft
from conclint.model import Edit, Fix, Span
from conclint.text import Text


def fix(*edits: tuple[int, int, int, int, str]) -> Fix:
    return Fix("mend", tuple(Edit(Span(*where), text) for *where, text in edits))


def draft(text: str, *fixes: Fix) -> tuple[str, list[bool]]:
    one = Draft(Text(text))
    added = [one.add(each) for each in fixes]
    return one.result(), added


IMPORT = (1, 1, 1, 1, "import threading\n")


def test_edits_of_several_fixes() -> None:
    text, added = draft("a = 1\nb = 2\n", fix((2, 5, 2, 6, "3")), fix((1, 1, 1, 2, "c")))
    assert (text, added) == ("c = 1\nb = 3\n", [True, True])


def test_the_same_line_is_added_once() -> None:
    text, added = draft("a\nb\n", fix(IMPORT, (1, 1, 1, 2, "x")), fix(IMPORT, (2, 1, 2, 2, "y")))
    assert (text, added) == ("import threading\nx\ny\n", [True, True])


def test_an_import_comes_before_other_lines_added_there() -> None:
    text, added = draft("a\n", fix((1, 1, 1, 1, "LOCK = Lock()\n")), fix((1, 1, 1, 1, "from threading import Lock\n")))
    assert (text, added) == ("from threading import Lock\nLOCK = Lock()\na\n", [True, True])


def test_a_fix_that_meets_another_waits_whole() -> None:
    text, added = draft("abcd\nx\n", fix((1, 1, 1, 3, "-")), fix((1, 2, 1, 4, "+"), (2, 1, 2, 2, "y")))
    assert (text, added) == ("-cd\nx\n", [True, False])


@pytest.mark.parametrize(
    ("one", "other", "goes"),
    [
        ((1, 2, 1, 2, "+"), (1, 2, 1, 2, "+"), False),  # two insertions of less than a line: in which order?
        ((1, 2, 1, 2, "+"), (1, 1, 1, 2, "-"), True),  # just behind
        ((1, 2, 1, 2, "+"), (1, 2, 1, 3, "-"), True),  # just before
        ((1, 2, 1, 2, "+"), (1, 1, 1, 3, "-"), False),  # inside
        ((1, 1, 1, 2, "+"), (1, 2, 1, 3, "-"), True),  # side by side
        ((1, 1, 1, 3, "+"), (1, 1, 1, 3, "+"), False),  # the same text twice
    ],
)
def test_what_goes_together(
    one: tuple[int, int, int, int, str], other: tuple[int, int, int, int, str], goes: bool
) -> None:
    assert draft("abcd\n", fix(one), fix(other))[1] == [True, goes]
    assert draft("abcd\n", fix(other), fix(one))[1] == [True, goes]


def test_a_fix_whose_own_edits_meet_is_left_out() -> None:
    assert draft("abcd\n", fix((1, 1, 1, 3, "-"), (1, 2, 1, 4, "+")))[1] == [False]


def test_added_lines_end_as_the_file_does() -> None:
    assert draft("a\r\nb\r\n", fix((2, 1, 2, 1, "x\ny\n")))[0] == "a\r\nx\r\ny\r\nb\r\n"
    assert draft("a\rb\r", fix((3, 1, 3, 1, "x\n")))[0] == "a\rb\rx\r"


def test_a_line_added_after_a_last_line_without_newline() -> None:
    assert draft("a", fix((2, 1, 2, 1, "x\n")))[0] == "a\nx\n"
    assert draft("", fix((1, 1, 1, 1, "x\n")))[0] == "x\n"


@pytest.mark.parametrize("where", [(9, 1, 9, 1), (1, 9, 1, 9), (0, 1, 1, 1), (1, 2, 1, 1), (2, 1, 1, 1)])
def test_a_place_outside_of_the_text_is_an_error(where: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError):
        draft("a\nb\n", fix((*where, "x")))


SPAN = st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 3), st.integers(1, 5)).filter(
    lambda span: span[:2] <= span[2:]
)


EDITS = st.lists(st.tuples(SPAN, st.sampled_from(["", "+", "new\n"])), min_size=1, max_size=2, unique=True)


@given(st.lists(EDITS, max_size=5))
def test_all_or_nothing(fixes: list[list[tuple[tuple[int, int, int, int], str]]]) -> None:
    plain = "abcd\nefgh\nijkl\n"
    one = Draft(Text(plain))
    parts = [Fix("mend", tuple(Edit(Span(*span), text) for span, text in edits)) for edits in fixes]
    added = [each for each in parts if one.add(each)]
    inserted = sum({edit: len(edit.text) for each in added for edit in each.edits}.values())
    removed = {
        at for each in added for edit in each.edits for at in range(*(Text(plain).offset(*at) for at in (_ends(edit))))
    }
    assert len(one.result()) == len(plain) + inserted - len(removed)


def _ends(edit: Edit) -> tuple[tuple[int, int], tuple[int, int]]:
    return (edit.span.line, edit.span.column), (edit.span.end_line, edit.span.end_column)
