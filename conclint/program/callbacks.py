"""What a library calls back because it was put into an attribute of its object: `client.on_message = show`."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.index.facts import FunctionFact
from conclint.knowledge.kinds import Spawner
from conclint.program.calls import Calls
from conclint.program.files import File
from conclint.program.values import Sort, Value


def is_entry(method: str, wanted: tuple[str, ...]) -> bool:
    """Whether the name is one of those, of which some stand for all with the same beginning."""
    return any(method == one or (one.endswith("*") and method.startswith(one[:-1])) for one in wanted)


def assigned(calls: Calls, spawner: Spawner, cls: str) -> Iterator[Value]:
    """The functions that the program puts into such attributes of objects of the library's class."""
    for file in calls.files:
        for name in sorted(one for one in file.header.touched if is_entry(one, spawner.methods)):
            for qualname, _ in file.body.functions.touching(name):
                function = file.body.functions[qualname]
                for target, path in function.binds:
                    owner, _, last = target.rpartition(".")
                    if last == name and path and _is_of(calls, file, function, owner, cls):
                        yield from calls.names.meaning(file, function, path).values


def _is_of(calls: Calls, file: File, function: FunctionFact, path: str, cls: str) -> bool:
    """Whether the path denotes an object of the library's class, or of one that derives from it."""
    objects = (one for one in calls.names.meaning(file, function, path).values if one.sort is Sort.INSTANCE)
    return any(one.name == cls or (":" in one.name and cls in calls.names.classes.mro(one.name)) for one in objects)
