"""Locks that are named without a call: `lock.acquire` with nothing behind it."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.index.facts import ALONE, FunctionFact
from conclint.program.calls import Calls
from conclint.program.files import File

# Where the standard library's locks come from.
HOMES = ("threading", "multiprocessing", "asyncio")


def mentions_of_locks(calls: Calls, methods: frozenset[str]) -> Iterator[tuple[File, FunctionFact]]:
    """The functions that name one of the methods of a lock, or a lock that is a statement by itself."""
    for file in calls.files.importing(*HOMES):
        for last in (ALONE[1:], *sorted(methods)):
            for qualname, paths in file.body.functions.touching(last):
                function = file.body.functions[qualname]
                if any(_is_lock(calls, file, function, path.removesuffix(ALONE)) for path in paths):
                    yield file, function


def _is_lock(calls: Calls, file: File, function: FunctionFact, path: str) -> bool:
    """Whether it is a lock, or something of one."""
    names = calls.names
    values = (value for one in (path, path.rpartition(".")[0]) for value in names.meaning(file, function, one).values)
    return any(value.name in names.knowledge.locks for value in values)
