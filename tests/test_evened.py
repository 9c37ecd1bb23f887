"""Tabs and spaces that Python takes for one indentation."""

from __future__ import annotations

import ast

import pytest

from conclint.source.evened import evened
from tests.programs import alarms_of, mended

# The last block of `work` is indented by two tabs, a space and two tabs; the one around it by three tabs.
PROGRAM = (
    "import threading\n\n\n"
    "class Counter:\n"
    "\tdef __init__(self):\n"
    "\t\tself.total = 0\n\n"
    "\tdef work(self):\n"
    "\t\tfor _ in range(9):\n"
    "\t\t\tif self:\n"
    "\t\t \t\tself.total += 1\n"
    "\t\t \t# one more\n\n\n"
    "def main():\n"
    "\tcounter = Counter()\n"
    "\tfor _ in range(9):\n"
    "\t\tthreading.Thread(target=counter.work).start()\n"
)


def test_a_block_begins_with_the_indentation_of_the_block_around():
    found = evened(PROGRAM)
    assert ast.dump(ast.parse(found)) == ast.dump(ast.parse(PROGRAM))
    assert "\t\t\t  self.total += 1\n" in found
    assert [len(line) for line in found.split("\n")] == [len(line) for line in PROGRAM.split("\n")]


def test_what_stands_there_is_found_and_mended_in_its_place():
    (alarm,) = alarms_of({"app.py": PROGRAM}, "CON303")
    assert alarm.line == 11
    text = mended({"app.py": PROGRAM}, "CON303")["app.py"]
    assert "with self._lock:" in text
    compile(text, "app.py", "exec")


@pytest.mark.parametrize("text", ["if x:\n\ty()\n        z()\n", "if x:\n", "(", "if x:\n\ty(\n"])
def test_nothing_where_it_cannot_be_told(text: str):
    assert evened(text) in ("", text)
