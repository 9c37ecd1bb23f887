"""Which objects of the program's classes cannot be sent to another process, and because of what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from conclint.index.facts import FunctionFact
from conclint.knowledge.pickling import INHERITED, PICKLABLE, SAYS_HOW, UNPICKLABLE
from conclint.model import Place, Span
from conclint.program.files import File
from conclint.program.names import Names
from conclint.program.values import Meaning, Sort, Value

CONSTRUCTORS = frozenset({"__init__", "__post_init__"})

# What happens where the program leaves the start method to the platform.
SOMEWHERE = " where processes are not forked (macOS, Windows, and Linux since Python 3.14)"

# Functions without a name of their own are pickled by nobody.
FUNCTION = "lambda"


@dataclass(frozen=True)
class Held:
    """An object of `cls` has in `attribute` what stands in the way: the library class `kind`, made at `place`.

    `attribute` is "" where the class itself is of that kind.
    """

    cls: str
    attribute: str
    kind: str
    place: Place


class Pickles:
    """Answers `held(cls)`; every answer is kept."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._known: dict[str, tuple[Held, ...]] = {}

    def held(self, cls: str) -> tuple[Held, ...]:
        """What an object of the class has from its constructor that cannot be pickled, or only be inherited."""
        known = self._known.get(cls)
        if known is None:
            self._known[cls] = ()  # for classes that hold each other
            known = self._known[cls] = tuple(self._find(cls))
        return known

    def _find(self, cls: str) -> Iterator[Held]:
        mro = self._names.classes.mro(cls)
        facts = [(one, *self._names.scopes.class_(one)) for one in mro if ":" in one]
        if any(name in SAYS_HOW for _, _, fact in facts if fact is not None for name, _ in fact.methods):
            return
        kind = kind_of(mro)
        if kind:
            file, fact = self._names.scopes.class_(cls)
            if file is not None and fact is not None:
                yield Held(cls, "", kind, _line(file, fact.line))
            return
        for one, _, _ in facts:
            for file, function, receiver in self._names.scopes.members(one):
                if function.name in CONSTRUCTORS and function.owner:
                    yield from self._put(cls, file, function, receiver)

    def _put(self, cls: str, file: File, function: FunctionFact, receiver: str) -> Iterator[Held]:
        """What the constructor puts into the object, and leaves there."""
        bound = self._names.scopes.bindings(file, function)
        lines = {path: line for path, _, line in function.touches}
        for target, paths in bound.items():
            name = target[len(receiver) :]
            if target.startswith(receiver) and name.isidentifier():
                kind = self.made(file, function, paths)
                if kind:
                    yield Held(cls, name, kind, _line(file, lines.get(target, function.line)))

    def made(self, file: File, function: FunctionFact, paths: Iterable[str]) -> str:
        """The kind of what is surely bound by one of the paths; "" where it may be something else, or nothing."""
        found = set()
        for path in paths:
            bound = self._names.scopes.bindings(file, function).get(path, ())
            if not path or path[0] in ":=" or len(bound) > 1:
                return ""  # who gives it knows what it is
            if path.startswith("$lambda"):
                found.add(FUNCTION)
            else:
                kind = self._kind(self._names.meaning(file, function, path)) if path[0] != "$" else ""
                # What is only annotated so may be a manager's, or of `multiprocessing`.
                queue = kind.startswith("queue.") and any(one[:1] == ":" for one in bound)
                found.add("" if queue else kind)
        return found.pop() if len(found) == 1 else ""

    def _kind(self, meaning: Meaning) -> str:
        kinds = {self._kind_of_value(value) for value in meaning.values}
        return kinds.pop() if len(kinds) == 1 else ""

    def _kind_of_value(self, value: Value) -> str:
        if value.sort is not Sort.INSTANCE:
            return ""
        if ":" not in value.name:
            return kind_of(self._names.knowledge.ancestors(value.name))
        return next((one.kind for one in self.held(value.name)), "")


def kind_of(types: Iterable[str]) -> str:
    """The first of the types that says why it cannot be sent; "" for what can, as far as anybody knows."""
    types = tuple(types)
    if any(name in PICKLABLE or name.startswith("multiprocessing.managers.SyncManager.") for name in types):
        return ""
    return next((name for name in types if name in UNPICKLABLE or name in INHERITED), "")


def _line(file: File, line: int) -> Place:
    return Place(file.path, Span(line, 1, line, 1))
