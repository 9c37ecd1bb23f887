"""Scopes and classes as they stand in the files, before anybody asks what their names mean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from conclint.index.facts import ClassFact, FunctionFact, Kind
from conclint.index.stored import Functions
from conclint.program.files import File, Files
from conclint.program.values import Meaning, Reach, Sort, Value, function_id, split_id

# A function of a class, and how it spells the object: `self.`.
Member = tuple[File, FunctionFact, str]


class Passed(NamedTuple):
    """An argument that a worker is given: the path where it is passed, and whose object it is.

    `first`: the start hands it over; else a call in the worker does, and others may call the function otherwise.
    """

    file: File
    function: FunctionFact
    path: str
    reach: Reach
    first: bool = False


class Scopes:
    """What each scope binds, and what is around it."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._classes: dict[str, tuple[File | None, ClassFact | None]] = {}
        self._bindings: dict[tuple[str, str], dict[str, list[str]]] = {}
        self._methods: dict[str, dict[str, list[str]]] = {}
        self._members: dict[str, list[Member]] = {}
        self._places: dict[str, dict[str, tuple[int, str]]] = {}
        self._naming: dict[tuple[str, str], list[Member]] = {}

    def enclosing(self, file: File, function: FunctionFact) -> FunctionFact | None:
        """The function whose scope is around this one's; class bodies are no scope for what they contain."""
        if not function.qualname:
            return None
        scope = function.enclosing
        while scope and scope not in file.body.functions:
            scope = scope.rpartition(".")[0]
        return file.body.functions[scope]

    def method_owner(self, file: File, function: FunctionFact) -> str:
        """The class in whose method this code stands, itself or as a nested function."""
        scope: FunctionFact | None = function
        while scope is not None:
            if scope.owner:
                return scope.owner
            scope = self.enclosing(file, scope)
        return ""

    @staticmethod
    def is_nested(file: File, function: FunctionFact) -> bool:
        """Whether the function, or the class that it belongs to, is defined anew by each run of another function."""
        if function.kind & Kind.LAMBDA:
            return True
        outer = file.body.functions.get((function.owner or function.qualname).rpartition(".")[0])
        return outer is not None and bool(outer.qualname) and function.name not in outer.globals

    def defined(self, file: File, scope: FunctionFact, name: str) -> list[Value]:
        """The functions and classes that the scope defines under the name."""
        found = []
        for qualname in file.by_short_name.get((scope.qualname, name), ()):
            sort = Sort.FUNCTION if qualname in file.body.functions else Sort.CLASS
            found.append(Value(sort, function_id(file.path, qualname)))
        return found

    def bindings(self, file: File, scope: FunctionFact) -> dict[str, list[str]]:
        """Every target path of a scope with the paths bound to it; parameters count, with their defaults."""
        key = (file.path, scope.qualname)
        found = self._bindings.get(key)
        if found is None:
            found = {}
            for param in scope.params:
                default = "$const" if param.default[:1] == "=" else param.default
                found[param.name] = [default] if default else []
            for target, path in scope.binds:
                found.setdefault(target, []).append(path)
            self._bindings[key] = found
        return found

    def sees(self, file: File, function: FunctionFact, name: str, qualname: str) -> bool:
        """Whether `name` in `function` is the variable of the scope `qualname`."""
        scope: FunctionFact | None = function
        while scope is not None and scope.qualname != qualname:
            if name in scope.globals:
                return not qualname
            if name not in scope.nonlocals and name in self.bindings(file, scope):
                return False
            scope = self.enclosing(file, scope)
        return True

    def class_(self, identity: str) -> tuple[File | None, ClassFact | None]:
        """A class of the program by its id."""
        known = self._classes.get(identity)
        if known is None:
            path, qualname = split_id(identity)
            file = self._files.by_path.get(path)
            known = self._classes[identity] = file, file.class_(qualname) if file is not None else None
        return known

    def methods(self, cls: str) -> dict[str, list[str]]:
        """The methods that a class of the program defines itself: by name the functions, several after an `if`."""
        known = self._methods.get(cls)
        if known is None:
            known = self._methods[cls] = {}
            _, fact = self.class_(cls)
            for name, qualname in fact.methods if fact is not None else ():
                known.setdefault(name, []).append(qualname)
        return known

    def members(self, cls: str) -> list[Member]:
        """The methods of a class and the functions inside them, each with how it spells the object: `self.`."""
        known = self._members.get(cls)
        if known is None:
            known = self._members[cls] = []
            file, fact = self.class_(cls)
            if file is not None and fact is not None:
                functions = file.body.functions
                for _, qualname in fact.methods:
                    method = functions[qualname]
                    if method.params and "staticmethod" not in method.decorators:
                        receiver = method.params[0].name + "."
                        names = [qualname, *functions.within.get(qualname, ())]
                        known += [(file, functions[name], receiver) for name in names]
        return known

    def naming(self, cls: str, name: str) -> list[Member]:
        """Of the class's members those that can touch or call the attribute `name` of the object."""
        key = (cls, name)
        known = self._naming.get(key)
        if known is None:
            known = self._naming[key] = list(self._find_naming(cls, name))
        return known

    def _find_naming(self, cls: str, name: str) -> Iterator[Member]:
        file, fact = self.class_(cls)
        if file is None or fact is None:
            return
        functions = file.body.functions
        places = self._places_in(cls, functions, fact)
        for (_, qualname), one in sorted((places[one], one) for one in functions.naming(name) if one in places):
            method = functions[qualname]
            if method.params and "staticmethod" not in method.decorators:
                yield file, functions[one], method.params[0].name + "."

    def _places_in(self, cls: str, functions: Functions, fact: ClassFact) -> dict[str, tuple[int, str]]:
        """A class's methods and the functions inside them by name: which comes when, and inside which method."""
        known = self._places.get(cls)
        if known is None:
            inside = [(one, name) for _, name in fact.methods for one in (name, *functions.within.get(name, ()))]
            known = self._places[cls] = {one: (place, name) for place, (one, name) in enumerate(inside)}
        return known

    def receiver(self, file: File, scope: FunctionFact, name: str) -> Meaning | None:
        """`self` and `cls`."""
        if not scope.owner or not scope.params or scope.params[0].name != name or scope.params[0].kind:
            return None
        if "staticmethod" in scope.decorators:
            return None
        owner = function_id(file.path, scope.owner)
        of_class = "classmethod" in scope.decorators or scope.name in ("__new__", "__init_subclass__")
        return Meaning((Value(Sort.CLASS if of_class else Sort.INSTANCE, owner),), None, Reach.SELF)


def prefixed(scope: str, name: str) -> Iterator[str]:
    """The qualified names that `name` can have in `scope` or around it."""
    while scope:
        yield f"{scope}.{name}"
        scope = scope.rpartition(".")[0]
    yield name
