"""State of the process that the handlers of a web application change with each request."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from conclint.index.facts import FunctionFact, Touch
from conclint.knowledge.webservers import SEVERAL_PROCESSES
from conclint.model import Note, Place, Span
from conclint.program.contexts import call_place
from conclint.program.contexts import evidence as trace_of_thread
from conclint.program.deeds import Deeds
from conclint.program.files import File
from conclint.program.linking import Program
from conclint.program.tasks import trace as trace_of_task
from conclint.program.testfiles import among_tests
from conclint.program.values import Sort, Store

# What is called so may be lost: somebody computes it again.
CACHE = re.compile(r"cache|memo|pool|registry|local", re.IGNORECASE)

# What a handler reaches by more calls is not its own state, but some library's.
FARTHEST = 3

# Calls of calls are followed so far.
DEEPEST = 3


class Kept(NamedTuple):
    """A global that a handler changes."""

    place: Place
    store: Store
    notes: tuple[Note, ...]


class Served:
    """Finds them in one program, each global once."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._deeds = Deeds(program.options.knowledge)

    def all(self) -> Iterator[Kept]:
        seen: set[Store] = set()
        for identity, notes in self._handled():
            file, function = self._program.calls.function(identity)
            for path in self._changed(file, function) if not among_tests(file.path) else ():
                store = self._program.names.meaning(file, function, path).store
                if store is not None and store not in seen and self._matters(store):
                    seen.add(store)
                    yield Kept(_place(file, function, path), store, notes)

    def _handled(self) -> Iterator[tuple[str, tuple[Note, ...]]]:
        """What handlers run, in threads or tasks, with the way there."""
        contexts, tasks = self._program.contexts, self._program.tasks
        for identity in sorted({*contexts.functions(), *tasks.functions()}):
            threads = (trace_of_thread(run) for run in contexts.runs(identity) if _by_handler(run.root.how))
            served = (trace_of_task(run) for run in tasks.runs(identity) if _by_handler(run.task.how))
            known = (one for one in (*threads, *served) if len(one) <= FARTHEST and not among_tests(one[0].place.path))
            notes = next(known, None)
            if notes is not None:
                yield from ((one, notes) for one in self._called(identity))

    def _called(self, identity: str) -> Iterator[str]:
        """The function itself, and the plain functions that it calls: those of tasks are not followed elsewhere."""
        seen, level = {identity}, [identity]
        for _ in range(DEEPEST):
            yield from level
            above = [self._program.calls.function(one) for one in level]
            found = (
                value.name
                for file, function in above
                for call in function.calls
                for value in self._program.calls.targets(file, function, call.func)
            )
            level = [one for one in dict.fromkeys(found) if one not in seen]
            seen.update(level)

    def _changed(self, file: File, function: FunctionFact) -> Iterator[str]:
        """What it changes in place.  Where it also looks, it most likely adds only what is missing."""
        done = self._deeds.of(file, function)
        for path, bits in done.bits.items():
            item = bits & Touch.ITEM and not (bits & Touch.SEEN and not bits & Touch.AUGMENTED)
            if item or bits & Touch.AUGMENTED or path in done.mutated:
                yield path

    def _matters(self, store: Store) -> bool:
        """Whether it is a plain container or number of the module's, and no cache by its name."""
        if store.sort != "global" or store.root != store or CACHE.search(store.path):
            return False
        names = self._program.names
        values = names.held(store)
        plain = {"builtins.list", "builtins.dict", "builtins.set", "collections.deque", "collections.defaultdict"}
        plain |= {"collections.Counter", "collections.OrderedDict"}
        puts = [path for _, _, path in names.stores.puts(store)]
        number = bool(puts) and not values and all(path in ("$const", "") for path in puts)
        return number or (bool(values) and all(one.sort is Sort.INSTANCE and one.name in plain for one in values))


def _by_handler(how: str) -> bool:
    return how.startswith(SEVERAL_PROCESSES)


def _place(file: File, function: FunctionFact, path: str) -> Place:
    for call in function.calls:
        if call.func.rpartition(".")[0] == path:
            return call_place(file.path, call)
    changing = Touch.WRITE | Touch.ITEM
    line = next((line for one, bits, line in function.touches if one == path and bits & changing), function.line)
    return Place(file.path, Span(line, 1, line, 2))
