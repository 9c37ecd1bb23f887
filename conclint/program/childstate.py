"""Globals that only child processes change, while the parent looks at its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from conclint.index.facts import FunctionFact, Kind, Touch
from conclint.knowledge.kinds import Context
from conclint.model import Place, Span
from conclint.program.calls import Calls, Site
from conclint.program.contexts import Contexts, Run, call_place
from conclint.program.effects import CHANGING
from conclint.program.files import File
from conclint.program.values import Meaning, Sort, Store

# They run in the child before its work, to prepare it.
PREPARING = frozenset({"multiprocessing.pool.Pool", "concurrent.futures.ProcessPoolExecutor"})

# What starts children that the program itself waits for.
STARTS = ("multiprocessing.Process", "multiprocessing.pool.Pool.", "concurrent.futures.ProcessPoolExecutor.")


class Lost(NamedTuple):
    """A change of the global `name` at `place`, in a child started at `start`, whose parent looks at its own one."""

    name: str
    place: Place
    start: Site


class ChildState:
    """Finds changes that are lost with the child."""

    def __init__(self, calls: Calls, contexts: Contexts) -> None:
        self._calls = calls
        self._contexts = contexts

    def lost(self) -> Iterator[Lost]:
        """Each change once."""
        for identity in sorted(self._contexts.functions()):
            runs = self._contexts.runs(identity)
            childish = all(run.context is Context.PROCESS and run.root.how not in PREPARING for run in runs)
            if not childish or not any(run.root.how.startswith(STARTS) for run in runs):
                continue
            if not self._contexts.is_main(identity):
                file, function = self._calls.function(identity)
                yield from self._changed(file, function, runs)

    def _changed(self, file: File, function: FunctionFact, runs: list[Run]) -> Iterator[Lost]:
        for name, place in _changes(file, function):
            meaning = self._calls.names.meaning(file, function, name)
            store = meaning.store
            if store is None or store.sort != "global" or store.path != store.root.path or self._is_shared(meaning):
                continue
            for run in runs:
                if self._reads(run.root.site, store):
                    yield Lost(name, place, run.root.site)
                    break

    def _is_shared(self, meaning: Meaning) -> bool:
        """Whether it lives somewhere else: a proxy, shared memory, an object of anybody's."""
        plain = ("builtins.", "collections.")
        return any(value.sort is not Sort.INSTANCE or not value.name.startswith(plain) for value in meaning.values)

    def _reads(self, start: Site, store: Store) -> bool:
        """Whether who started the child looks at the global afterwards."""
        for path, bits, line in start.function.touches:
            later = line > start.call.line or (not start.function.qualname and bits & Touch.WRITE)
            if bits & Touch.READ and later and path.partition(".")[0] == path:
                there = self._calls.names.meaning(start.file, start.function, path).store
                if there == store:
                    return True
        return False


def _changes(file: File, function: FunctionFact) -> Iterator[tuple[str, Place]]:
    """What the function changes by name, unless it also looks at it: then it is a memory of the child's own."""
    if function.kind & Kind.MODULE:
        return
    asked = {call.func.rpartition(".")[0] for call in function.calls if call.func.rpartition(".")[2] not in CHANGING}
    added: set[str] = set()
    for call in function.calls:
        owner, _, method = call.func.rpartition(".")
        if method in CHANGING and owner.isidentifier() and owner not in asked and owner not in added:
            added.add(owner)
            yield owner, call_place(file.path, call)
    for path, bits, line in function.touches:
        plain = path.isidentifier() and path not in asked and path not in added
        ours = bits & Touch.ITEM or (bits & Touch.WRITE and path in function.globals)
        if plain and ours and not bits & Touch.SEEN:
            yield path, Place(file.path, Span(line, 1, line, 1))
