"""That a file with ten times the threads takes ten times the work, not a hundred times."""

from __future__ import annotations

import pytest

from conclint.source import handed
from tests.programs import alarms_of


@pytest.mark.parametrize("count", [10, 100])
def test_code_is_looked_through_once_for_all_that_is_handed_over(count, monkeypatch):
    walks = []
    walk = handed.same_function
    monkeypatch.setattr(handed, "same_function", lambda node: walks.append(node) or walk(node))
    alarms_of({"app.py": "import threading\n" + "threading.Thread(target=print).start()\n" * count}, "CON3")
    assert len(walks) <= 2
