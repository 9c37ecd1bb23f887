"""The marks themselves: what each says, and when it fails a test."""

from __future__ import annotations

import pytest

from tests.marks import Alarm, BadMark, difference, read_marks

A, B, C = Alarm("a.py", 1, "CON301"), Alarm("a.py", 2, "CON302"), Alarm("a.py", 3, "CON303")
TEXT = "x  # expect: CON301\ny  # missed: CON302 -- not followed\nz  # false-alarm: CON303 -- too eager\n"


def test_each_kind_is_read():
    marks = read_marks({"a.py": TEXT})
    assert (marks.expected, marks.missed, marks.false_alarms) == ({A}, {B}, {C})


def test_several_codes_and_several_marks_on_a_line():
    marks = read_marks({"a.py": "x  # expect: CON301, CON510  # missed: CON305 -- why\n"})
    assert {alarm.code for alarm in marks.expected} == {"CON301", "CON510"}
    assert {alarm.code for alarm in marks.missed} == {"CON305"}


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_lines_end_as_in_python(newline):
    assert read_marks({"a.py": f"x{newline}y  # expect: CON302{newline}"}).expected == {B}


@pytest.mark.parametrize(
    "comment",
    ["# missed: CON301", "# false-alarm: CON301", "# expect: 301", "# expect: CON30", "# missed: CON301 --"],
)
def test_a_mark_that_says_nothing_is_an_error(comment):
    with pytest.raises(BadMark):
        read_marks({"a.py": f"x  {comment}\n"})


@pytest.mark.parametrize(
    ("alarms", "complaint"),
    [
        pytest.param({A, C}, "", id="agreement"),
        pytest.param({C}, "a.py:1: CON301: expected, not raised", id="missing alarm"),
        pytest.param({A}, "a.py:3: CON303: known false alarm that no longer fires", id="false alarm gone"),
        pytest.param({A, B, C}, "a.py:2: CON302: known missed alarm that fires now", id="missed alarm found"),
        pytest.param({A, C, Alarm("a.py", 9, "CON101")}, "a.py:9: CON101: raised, not expected", id="unmarked alarm"),
    ],
)
def test_difference(alarms, complaint):
    assert difference(read_marks({"a.py": TEXT}), alarms).partition(";")[0] == complaint


def test_the_message_of_an_unexpected_alarm_is_shown():
    marks = read_marks({"a.py": "x"})
    assert difference(marks, {A}, {A: "a race"}) == "a.py:1: CON301: raised, not expected: a race"
