"""Who uses what a module keeps in a global, in whatever file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from conclint.index.facts import FunctionFact, ImportFact, Touch
from conclint.program.calls import Calls
from conclint.program.files import File
from conclint.program.values import function_id


class User(NamedTuple):
    """A function that uses the object, and what it calls it."""

    file: File
    function: FunctionFact
    spelled: str

    @property
    def identity(self) -> str:
        return function_id(self.file.path, self.function.qualname)

    def touches(self, attribute: str) -> Iterator[tuple[int, int]]:
        """What it does to an attribute of the object, and where."""
        wanted = f"{self.spelled}.{attribute}"
        return ((bits, line) for path, bits, line in self.function.touches if path == wanted)

    def sets(self, attribute: str) -> bool:
        """Whether it sets the attribute without a look at what was there."""
        return any(bits & Touch.WRITE and not bits & Touch.AUGMENTED for bits, _ in self.touches(attribute))


class Globals:
    """Answers for one program."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def here(self, file: File, name: str) -> list[User]:
        """The functions of its own file that use it."""
        functions = file.body.functions
        return [User(file, functions[one], name) for one in functions.mentioning(name) if one]

    def elsewhere(self, file: File, name: str) -> list[User] | None:
        """Those of other files, their modules included; None where nobody can tell who has it."""
        users: list[User] = []
        for other, one in self._importers(file, name):
            spelled = one.name if one.target.endswith(f".{name}") else f"{one.name}.{name}"
            store = self._calls.names.meaning(other, other.body.functions[""], spelled).store
            if one.name == "*" or store is None or (store.owner, store.path) != (file.path, name):
                return None
            functions = other.body.functions
            users += [User(other, functions[each], spelled) for each in functions.mentioning(one.name)]
        return users

    def _importers(self, file: File, name: str) -> Iterator[tuple[File, ImportFact]]:
        """Where other files import the object, or its module."""
        stem = file.path.removesuffix("/__init__.py").removesuffix(".py").rpartition("/")[2]
        for last in dict.fromkeys((name, stem, "*")):
            for other, one in self._imports.get(last, ()):
                module = one.target if last != name else one.target.rpartition(".")[0] or "."
                if other.path != file.path and self._calls.files.module(other, module) == file.path:
                    yield other, one

    @cached_property
    def _imports(self) -> dict[str, list[tuple[File, ImportFact]]]:
        """All imports, by the last part of what they import."""
        found: dict[str, list[tuple[File, ImportFact]]] = {}
        for file in self._calls.files:
            for one in file.header.imports:
                last = "*" if one.name == "*" else one.target.rpartition(".")[2]
                found.setdefault(last, []).append((file, one))
        return found
