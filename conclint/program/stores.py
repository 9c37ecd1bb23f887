"""Who binds and who uses a variable or attribute: every place of the program that can spell it."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.index.facts import FunctionFact, Touch
from conclint.program.classes import Classes
from conclint.program.files import File, Files
from conclint.program.scopes import Member, Scopes
from conclint.program.values import Store, head_of, split_id

# The file and function in which something is bound, and the path that is bound there.
Put = tuple[File, FunctionFact, str]


class Stores:
    """Bindings and users of stores."""

    def __init__(self, files: Files, scopes: Scopes, classes: Classes) -> None:
        self._files = files
        self._scopes = scopes
        self._classes = classes
        self._puts: dict[tuple[str, str], list[Put]] = {}
        self._bound: dict[Store, dict[str, list[Put]]] = {}

    def puts(self, store: Store) -> Iterator[Put]:
        """Every binding of the store: the file and function in which it stands, and the path that is bound."""
        if store.sort == "attribute":
            for cls in self._classes.family(store.owner):
                yield from self._class_puts(cls, store.path)
            return
        bound = self._variable_puts(store.root)
        for spelling in dict.fromkeys((store.path, store.path.replace("[]", "[*]"))):
            yield from bound.get(spelling, ())

    def _variable_puts(self, variable: Store) -> dict[str, list[Put]]:
        """What is bound to a variable, and to what stands behind it, by its spelling."""
        known = self._bound.get(variable)
        if known is None:
            known = self._bound[variable] = {}
            for file, function, _ in self.users(variable):
                for target, paths in self._scopes.bindings(file, function).items():
                    if target.startswith(variable.path) and head_of(target) == variable.path:
                        known.setdefault(target, []).extend((file, function, path) for path in paths)
        return known

    def _class_puts(self, cls: str, attribute: str) -> list[Put]:
        """What a class binds to an attribute of its objects, or to what stands behind it: there or in methods."""
        key = (cls, attribute)
        known = self._puts.get(key)
        if known is None:
            known = self._puts[key] = [*self._in_body(cls, attribute)]
            for home, function, receiver in self._scopes.naming(cls, head_of(attribute)):
                for target, paths in self._scopes.bindings(home, function).items():
                    if target.startswith(receiver) and target[len(receiver) :].replace("[*]", "[]") == attribute:
                        known += [(home, function, path) for path in paths]
        return known

    def _in_body(self, cls: str, attribute: str) -> Iterator[Put]:
        file, fact = self._scopes.class_(cls)
        if file is not None and fact is not None:
            for name, path in fact.binds:
                if name == attribute:
                    yield file, file.body.functions[""], path

    def users(self, store: Store) -> Iterator[Member]:
        """The functions that can spell the store directly, with what stands before its path: `self.` or nothing."""
        if store.sort == "attribute":
            for cls in self._classes.family(store.owner):
                yield from self._scopes.naming(cls, head_of(store.path))
            return
        path, qualname = (store.owner, "") if store.sort == "global" else split_id(store.owner)
        file = self._files.by_path.get(path)
        if file is None:
            return
        head = store.root.path
        functions = file.body.functions
        for name in functions.mentioning(head):
            inside = not qualname or name.startswith(qualname + ".")
            if name == qualname or (inside and self._scopes.sees(file, functions[name], head, qualname)):
                yield file, functions[name], ""

    def of_class(self, store: Store) -> bool:
        """Whether an attribute is the class's own: bound in its body, and never through an object."""
        _, fact = self._scopes.class_(store.owner)
        if fact is None or fact.decorators or not any(name == store.path for name, _ in fact.binds):
            return False  # a data class's body only names the attributes that its objects will have
        return not any(
            path == receiver + store.path and bits & Touch.WRITE and not _has_class(function)
            for _, function, receiver in self.users(store)
            for path, bits, _ in function.touches
        )


def _has_class(function: FunctionFact) -> bool:
    """Whether its first parameter is the class."""
    return "classmethod" in function.decorators or function.name in ("__new__", "__init_subclass__")
