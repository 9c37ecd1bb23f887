"""Whether a thread or process is a daemon, as far as whoever makes it says so."""

from __future__ import annotations

from conclint.index.facts import FunctionFact
from conclint.program.calls import Calls

SAID = {"=True": True, "=False": False}


def by_keywords(keywords: tuple[tuple[str, str], ...]) -> bool | None:
    """What `daemon=` says; None where nobody can tell."""
    for word, path in keywords:
        if word == "daemon":
            return {**SAID, "=None": False}.get(path)
        if word == "**":
            return None
    return False


def by_constructor(function: FunctionFact) -> bool | None:
    """What a subclass's `__init__` gives its base's."""
    made = [call for call in function.calls if call.func.endswith(".__init__")]
    return next((found for call in made if (found := by_keywords(call.keywords)) is not False), False)


def by_class(calls: Calls, cls: str) -> bool:
    """Whether the body of the class, or of a base, says `daemon = True`."""
    for base in calls.names.classes.mro(cls):
        _, fact = calls.names.scopes.class_(base) if ":" in base else (None, None)
        said = next((path for name, path in fact.binds if name == "daemon"), "") if fact is not None else ""
        if said in SAID:
            return SAID[said]
    return False
