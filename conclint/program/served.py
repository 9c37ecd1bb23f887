"""State of the process that the handlers of a web application change with each request."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from conclint.index.facts import FunctionFact, Touch
from conclint.knowledge.names import below
from conclint.knowledge.webservers import SEVERAL_PROCESSES
from conclint.model import Note, Place, Span
from conclint.program.contexts import call_place
from conclint.program.contexts import evidence as trace_of_thread
from conclint.program.deeds import Deeds
from conclint.program.files import File
from conclint.program.linking import Program
from conclint.program.tasks import trace as trace_of_task
from conclint.program.testfiles import among_tests
from conclint.program.values import Reach, Sort, Store

# What is called so may be lost: somebody computes it again.
CACHE = re.compile(r"cache|memo|pool|registry|local", re.IGNORECASE)

# What a handler reaches by more calls is not its own state, but some library's.
FARTHEST = 3

# Calls of calls are followed so far.
DEEPEST = 3


PLAIN = frozenset(
    {
        *below("builtins", "list dict set"),
        *below("collections", "deque defaultdict Counter OrderedDict"),
    }
)


# How numbers are bound and declared.
NUMBERS = frozenset({"$const", "", ":int", ":float"})


class Kept(NamedTuple):
    """A global that a handler changes."""

    place: Place
    store: Store
    notes: tuple[Note, ...]


class Handled(NamedTuple):
    """How a function is run by a handler; `shared`: on an object that others have too; `first`: it is the handler."""

    notes: tuple[Note, ...]
    shared: bool = False
    first: bool = False


class Served:
    """Finds them in one program, each global once."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._deeds = Deeds(program.options.knowledge)

    def all(self) -> Iterator[Kept]:
        seen: set[Store] = set()
        for identity, handled in self._handled():
            file, function = self._program.calls.function(identity)
            for path in self._changed(file, function, handled) if not among_tests(file.path) else ():
                meaning = self._program.names.meaning(file, function, path)
                store = meaning.store
                if store is not None and store not in seen and self._matters(store, meaning.reach, handled):
                    seen.add(store)
                    yield Kept(_place(file, function, path), store, handled.notes)

    def _handled(self) -> Iterator[tuple[str, Handled]]:
        """What handlers run, in threads or tasks, with the way there."""
        contexts, tasks = self._program.contexts, self._program.tasks
        for identity in sorted({*contexts.functions(), *tasks.functions()}):
            threads = [one for one in contexts.runs(identity) if _by_handler(one.root.how)]
            served = [one for one in tasks.runs(identity) if _by_handler(one.task.how)]
            notes = [*map(trace_of_thread, threads), *map(trace_of_task, served)]
            known = [one for one in notes if len(one) <= FARTHEST and not among_tests(one[0].place.path)]
            if known:
                shared = any(one.shared for one in threads) or any(one.shared for one in served)
                first = any(one.via is None for one in threads) or any(one.via is None for one in served)
                yield identity, Handled(known[0], shared, first)
                yield from ((one, Handled(known[0])) for one in self._called(identity) if one != identity)

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

    def _changed(self, file: File, function: FunctionFact, handled: Handled) -> Iterator[str]:
        """What it changes in place.  Where it also looks, it most likely adds only what is missing."""
        done = self._deeds.of(file, function)
        for path, bits in done.bits.items():
            item = bits & Touch.ITEM and not (bits & Touch.SEEN and not bits & Touch.AUGMENTED)
            told = bits & Touch.ITEM and (_counts(function, path) or (handled.first and _from_request(function, path)))
            nested = f"{path}[]" in done.mutated and self._holds_containers(file, function, path)
            changed = item or told or nested or bits & Touch.AUGMENTED or path in done.mutated
            if changed and not _fills(function, path):
                yield path

    def _holds_containers(self, file: File, function: FunctionFact, path: str) -> bool:
        """Whether its items are containers: `rooms[name].add(user)`."""
        names = self._program.names
        items = {one.name for one in names.meaning(file, function, f"{path}[]").values}
        outer = {one.name for one in names.meaning(file, function, path).values}
        return bool(items & PLAIN) or (not items and outer == {"collections.defaultdict"})

    def _matters(self, store: Store, reach: Reach, handled: Handled) -> bool:
        """Whether it is a plain container or number of the module or of an object there, and no cache by its name."""
        own = store.sort == "attribute" and (reach is Reach.SHARED or (reach is Reach.SELF and handled.shared))
        if store.root != store or CACHE.search(store.path) or not (own or store.sort == "global"):
            return False
        if own and not self._is_plain_class(store.owner):
            return False
        names = self._program.names
        values = names.held(store)
        puts = [path for _, _, path in names.stores.puts(store)]
        counted = bool(puts) and all(path in NUMBERS for path in puts) and reach is not Reach.SELF
        number = counted and all(one.name in ("builtins.int", "builtins.float") for one in values)
        return number or (bool(values) and all(one.sort is Sort.INSTANCE and one.name in PLAIN for one in values))

    def _is_plain_class(self, cls: str) -> bool:
        """Whether its objects have nothing of a library's: no thread's own, no model, no cache by its name."""
        own = all(":" in base or base == "builtins.object" for base in self._program.names.classes.mro(cls))
        return own and not CACHE.search(cls.rpartition(":")[2])


def _fills(function: FunctionFact, path: str) -> bool:
    """Whether it makes the container itself, and puts in what belongs there: on first use, most likely."""
    made = [value for target, value in function.binds if target == path]
    return path in function.globals and any(value.startswith("$") and value != "$const" for value in made)


def _counts(function: FunctionFact, path: str) -> bool:
    """`tries[user] = tries.get(user, 0) + 1`: nothing is kept of what it looks up but the number."""
    return any(call.func == f"{path}.get" and len(call.args) == 2 and not call.goes for call in function.calls)


def _from_request(function: FunctionFact, path: str) -> bool:
    """Whether the handler puts there what the request brings, not what it has computed of it."""
    given = {param.name for param in function.params}
    values = [value for target, value in function.binds if target == f"{path}[]"]
    return any(value in given or value.startswith("request.") for value in values)


def _by_handler(how: str) -> bool:
    return how.startswith(SEVERAL_PROCESSES)


def _place(file: File, function: FunctionFact, path: str) -> Place:
    for call in function.calls:
        if call.func.rpartition(".")[0] in (path, f"{path}[]"):
            return call_place(file.path, call)
    changing = Touch.WRITE | Touch.ITEM
    line = next((line for one, bits, line in function.touches if one == path and bits & changing), function.line)
    return Place(file.path, Span(line, 1, line, 2))
