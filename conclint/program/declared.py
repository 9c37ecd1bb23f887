"""What authors say of threads in comments and annotations.  It beats what is inferred, and is checked itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import NamedTuple

from conclint.index.facts import DeclarationFact, FunctionFact
from conclint.model import Place, Span
from conclint.program.deeds import CONSTRUCTION
from conclint.program.files import File
from conclint.program.names import Names
from conclint.program.values import Store, function_id

GUARDED, SAFE, UNSAFE, MAIN, BENIGN = "guarded-by", "thread-safe", "not-thread-safe", "main-thread", "benign-race"
SWORN = "says-safe"  # in a docstring
KINDS = (SAFE, UNSAFE, MAIN, BENIGN)


class Mistake(NamedTuple):
    """A declaration that declares nothing, and why."""

    place: Place
    message: str


class Guard(NamedTuple):
    """State that is to be used under a lock only, as its author says."""

    state: Store
    lock: Store
    place: Place


class Declared:
    """The declarations of one program."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._files = names.files

    def _all(self) -> Iterator[tuple[File, DeclarationFact]]:
        for file in self._files:
            for fact in file.header.declarations:
                yield file, fact

    # -- what is declared

    @cached_property
    def guards(self) -> tuple[Guard, ...]:
        """What is declared to be guarded, where both the state and its lock are found."""
        found = []
        for file, fact in self._all():
            if fact.kind == GUARDED:
                lock = self._lock(file, fact)
                states = self._states(file, fact)
                found += [Guard(state, lock, _place(file, fact)) for state in states if lock is not None]
        return tuple(found)

    @cached_property
    def left_alone(self) -> frozenset[Store]:
        """State whose races are known and harmless, or the business of whoever shares it."""
        found = [
            state
            for file, fact in self._all()
            if (fact.kind == BENIGN and fact.said) or fact.kind == UNSAFE
            for state in self._states(file, fact)
            if self._is_made(file, fact)
        ]
        for cls in self._classes(UNSAFE):
            found += [Store("attribute", cls, name) for name in self._names.classes.attributes(cls)]
        return frozenset(found)

    @cached_property
    def main_thread(self) -> frozenset[str]:
        """The functions that only the main thread runs."""
        return frozenset(
            function_id(file.path, function.qualname)
            for file, fact in self._all()
            if fact.kind == MAIN and fact.about == "definition"
            for function in file.functions()
            if fact.first <= function.line <= fact.last
        )

    @cached_property
    def thread_safe(self) -> dict[str, Place]:
        """The classes whose objects several threads may use, as their authors say, and where they do."""
        said = {
            function_id(file.path, fact.scope): _place(file, fact)
            for file, fact in self._all()
            if fact.kind in (SAFE, SWORN) and fact.about == "definition" and file.class_(fact.scope) is not None
        }
        return {cls: place for cls, place in said.items() if cls not in set(self._classes(UNSAFE))}

    @property
    def known(self) -> Iterator[tuple[str, int, int]]:
        """Where authors know what happens: path, first and last line."""
        for file, fact in self._all():
            checked = fact.kind == SAFE and file.class_(fact.scope) is not None and fact.about == "definition"
            if fact.kind in (SAFE, UNSAFE, MAIN, BENIGN) and not checked and (fact.said or fact.kind != BENIGN):
                yield file.path, fact.first, fact.last

    def _classes(self, kind: str) -> Iterator[str]:
        for file, fact in self._all():
            if fact.kind == kind and fact.about == "definition" and file.class_(fact.scope) is not None:
                yield function_id(file.path, fact.scope)

    # -- what the words mean

    def _function(self, file: File, fact: DeclarationFact) -> FunctionFact:
        functions = file.body.functions
        return functions[fact.scope] if fact.about == "line" and fact.scope in functions else functions[""]

    def _is_made(self, file: File, fact: DeclarationFact) -> bool:
        """Whether the statement makes the state, so that what is said of it holds everywhere."""
        return fact.about == "body" or not fact.scope or self._function(file, fact).name in CONSTRUCTION

    def _states(self, file: File, fact: DeclarationFact) -> list[Store]:
        """What the statement assigns to."""
        if fact.about == "body":
            cls = function_id(file.path, fact.scope)
            owner = self._names.classes.attribute_owner
            return [Store("attribute", owner(cls, name), name) for name in fact.targets]
        function = self._function(file, fact)
        meanings = (self._names.meaning(file, function, target) for target in fact.targets)
        return [meaning.store.root for meaning in meanings if meaning.store is not None]

    def _lock(self, file: File, fact: DeclarationFact) -> Store | None:
        function = self._function(file, fact)
        cls = self._class_around(file, fact, function)
        if cls and "." not in fact.said and fact.said in self._attributes(cls):
            return Store("attribute", self._names.classes.attribute_owner(cls, fact.said), fact.said)
        path = fact.said
        if fact.about == "body" and path.startswith("self."):
            name = path.removeprefix("self.")
            owner = self._names.classes.attribute_owner(cls, name)
            return Store("attribute", owner, name) if self._has(cls, name) else None
        store = self._names.meaning(file, function, path).store
        return store if store is not None and self._is_bound(store) else None

    def _class_around(self, file: File, fact: DeclarationFact, function: FunctionFact) -> str:
        owner = fact.scope if fact.about == "body" else self._names.scopes.method_owner(file, function)
        return function_id(file.path, owner) if owner else ""

    def _attributes(self, cls: str) -> set[str]:
        classes = self._names.classes
        return {name for base in classes.mro(cls) if ":" in base for name in classes.attributes(base)}

    def _has(self, cls: str, name: str) -> bool:
        """Whether objects of the class can have the attribute; a base from a library may have any."""
        foreign = any(":" not in base and base != "builtins.object" for base in self._names.classes.mro(cls))
        return foreign or name in self._attributes(cls)

    def _is_bound(self, store: Store) -> bool:
        if store.sort == "attribute":
            return self._has(store.owner, store.path)
        return next(iter(self._names.stores.puts(store)), None) is not None or store.sort == "local"

    # -- what is wrong with them

    def mistakes(self, taken: Callable[[Store], bool]) -> Iterator[Mistake]:
        """Declarations that say nothing; `taken` tells whether somebody takes a lock."""
        for file, fact in self._all():
            message = self._wrong(file, fact, taken)
            if message:
                yield Mistake(_place(file, fact), message)

    def _wrong(self, file: File, fact: DeclarationFact, taken: Callable[[Store], bool]) -> str:
        if fact.kind == SWORN:
            return ""
        if fact.kind == GUARDED:
            return self._wrong_guard(file, fact, taken)
        if fact.kind not in KINDS:
            known = ", ".join(f"`{kind}`" for kind in KINDS)
            return f"`conclint: {fact.kind}` declares nothing; known are {known}"
        if not fact.about:
            return f"`{fact.kind}` stands behind the last statement; put it on the line that it is about"
        if fact.kind == BENIGN and not fact.said:
            return "`benign-race` without a reason hides nothing; say why it does no harm: `benign-race -- reason`"
        return ""

    def _wrong_guard(self, file: File, fact: DeclarationFact, taken: Callable[[Store], bool]) -> str:
        if not self._states(file, fact):
            return f"`{fact.said}` guards nothing here; put the comment on a line that assigns the state"
        lock = self._lock(file, fact)
        if lock is None:
            return f"`{fact.said}` is not known here, so that nothing is guarded; name the lock as code here would"
        if not taken(lock):
            return f"`{fact.said}` is taken nowhere, so that it guards nothing; hold it, or take the comment away"
        return ""


def _place(file: File, fact: DeclarationFact) -> Place:
    return Place(file.path, Span(fact.line, fact.column, fact.line, fact.column + 1))
