"""Functions that wake others up after their callers have changed something."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.index.facts import FunctionFact, Touch
from conclint.knowledge.locks import NOTIFYING
from conclint.program.calls import Calls
from conclint.program.files import File
from conclint.program.values import function_id

CHANGES = Touch.WRITE | Touch.ITEM


def prepared(calls: Calls, file: File) -> Iterator[str]:
    """Those of the file that notify, and are called by a function that changes some state itself."""
    notifying = {function.qualname for name in NOTIFYING for function, _ in calls.in_file(file, name)}
    mutators = {name for names in calls.names.knowledge.mutators.values() for name in names}
    for qualname in sorted(notifying - {""}):
        identity = function_id(file.path, qualname)
        if any(_changes(site.function, mutators) for site in calls.callers(identity)):
            yield identity


def _changes(function: FunctionFact, mutators: set[str]) -> bool:
    if any(bits & CHANGES for _, bits, _ in function.touches):
        return True
    return any("." in call.func and call.func.rpartition(".")[2] in mutators for call in function.calls)
