"""Things that a cache without a lock makes, and that several threads may make at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from conclint.index.facts import FunctionFact
from conclint.knowledge.caching import CACHES, PROPERTIES, RESOURCE
from conclint.knowledge.handles import LAST_METHODS
from conclint.model import Place, Span
from conclint.program.contexts import Run
from conclint.program.files import File
from conclint.program.linking import Program
from conclint.program.observations import Access, Act, Point
from conclint.program.races import Moment, Races
from conclint.program.testfiles import among_tests
from conclint.program.values import Reach, Sort, Store, function_id


class Cached(NamedTuple):
    """The function makes `made` once, as its author thinks; `run` and `other` are threads that come at once."""

    place: Place
    how: str
    name: str
    made: str
    run: Run
    other: Run


class Caches:
    """Finds them in one program."""

    def __init__(self, program: Program, races: Races) -> None:
        self._program = program
        self._races = races

    def all(self) -> Iterator[Cached]:
        for identity in sorted(self._program.contexts.functions()):
            file, function = self._program.calls.function(identity)
            how = self._how(file, function) if function.decorators and not among_tests(file.path) else ""
            returns = [_made(function, path) for path in function.returns] if how else []
            made = next((path for path in returns if self._is_resource(file, function, path)), "")
            if made:
                access = self._access(identity, file, function, how)
                moments = [one for one in self._races.moments(access) if one.run is not None]
                found = self._meeting(moments) if not self._has_lock(access.store) else None
                if found is not None:
                    yield Cached(access.place, how, access.text, made, *found)

    def _how(self, file: File, function: FunctionFact) -> str:
        """What keeps the value: of methods a property, of plain functions a cache without keys."""
        known = PROPERTIES if function.owner else CACHES
        if not function.owner and function.params:
            return ""
        module = file.body.functions[""]
        names = (
            value.name
            for path in function.decorators
            if path.removesuffix("()").rpartition(".")[2] in {name.rpartition(".")[2] for name in known}
            for value in self._program.names.meaning(file, module, path.removesuffix("()")).values
        )
        return next((name for name in names if name in known), "")

    @staticmethod
    def _access(identity: str, file: File, function: FunctionFact, how: str) -> Access:
        place = Place(file.path, Span(function.line, 1, function.line, 1))
        point = Point(identity, function.line, function.line)
        if how in CACHES:
            store = Store("global", file.path, function.name)
            return Access(store, Act.LAZY_INIT, point, place, function.name, reach=Reach.SHARED)
        store = Store("attribute", function_id(file.path, function.owner), function.name)
        text = f"{function.params[0].name}.{function.name}"
        return Access(store, Act.LAZY_INIT, point, place, text, reach=Reach.SELF)

    def _meeting(self, moments: list[Moment]) -> tuple[Run, Run] | None:
        for one in moments:
            for other in moments:
                if one.run is not None and other.run is not None and self._races.meet(one, other):
                    return one.run, other.run
        return None

    def _has_lock(self, store: Store) -> bool:
        """Whether whoever owns it takes a lock somewhere, and so most likely here."""
        owners = self._program.owners
        return bool(owners.of_class(store.owner) if store.sort == "attribute" else owners.locks.get(store.owner))

    def _is_resource(self, file: File, function: FunctionFact, path: str) -> bool:
        """`return connect()`, `return Client()`: not a value that may as well be computed twice."""
        if not path.endswith("()"):
            return False
        names, calls = self._program.names, self._program.calls
        classes = [one.name for one in names.meaning(file, function, path).values if one.sort is Sort.INSTANCE]
        if any(":" in cls and any(calls.method(cls, last) for last in LAST_METHODS) for cls in classes):
            return True
        if any(":" in cls for cls in classes):
            return False
        known = any(cls in names.knowledge.locks or cls in names.knowledge.thread_unsafe for cls in classes)
        return known or bool(RESOURCE.search(path[:-2].rpartition(".")[2]))


def _made(function: FunctionFact, path: str) -> str:
    """What is returned, or was put into the variable that is."""
    bound = [source for target, source in function.binds if target == path] if path.isidentifier() else []
    return bound[0] if len(bound) == 1 else path
