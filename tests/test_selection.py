"""What a rule says does not depend on which other rules are asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.programs import alarms_of

FIXTURES = Path(__file__).parent.parent / "fixtures"

# A class that owns a lock, state that is only looked at in a thread, and threads of the program's own beside both.
PROGRAM = """
import threading

_lock = threading.Lock()
_opened = False
_items = []


def put(item):
    with _lock:
        _items.append(item)


def start():
    global _opened
    if not _opened:
        connect()
        _opened = True


def connect():
    global _opened
    with _lock:
        _opened = False


def watch():
    while _opened:
        put(1)


def main():
    threading.Thread(target=watch).start()
    start()
"""


def of(text: str, selected: str) -> set[str]:
    """What is said of CON305 when these rules are selected."""
    found = alarms_of({"a.py": text}, selected)
    return {str(alarm) for alarm in found if alarm.code == "CON305"}


@pytest.mark.parametrize(
    "text", [PROGRAM, *((FIXTURES / f"weak_{name}.py").read_text() for name in ("promises", "lazy"))]
)
def test_others_change_nothing(text):
    alone, together = (of(text, selected) for selected in ("CON305", "CON3"))
    assert alone == together
