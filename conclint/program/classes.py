"""The class hierarchy of the program, over files and down to the library's classes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from conclint.index.facts import FunctionFact, Touch
from conclint.knowledge.kinds import Knowledge
from conclint.program.files import File, Files
from conclint.program.scopes import Scopes
from conclint.program.values import Meaning, Sort, function_id


class Classes:
    """Bases and subclasses; `meaning` answers what the name of a base means where it stands."""

    def __init__(
        self, files: Files, scopes: Scopes, knowledge: Knowledge, meaning: Callable[[File, FunctionFact, str], Meaning]
    ) -> None:
        self._files = files
        self._scopes = scopes
        self._knowledge = knowledge
        self._meaning = meaning
        self._mro: dict[str, tuple[str, ...]] = {}
        self._families: dict[str, tuple[str, ...]] = {}
        self._own_attributes: dict[str, frozenset[str]] = {}
        self._bound: dict[tuple[str, str], bool] = {}
        self._subclasses: dict[str, list[str]] = {}

    def mro(self, identity: str) -> tuple[str, ...]:
        """The class and all its bases, of the program and the library, in an order close to Python's."""
        if identity not in self._mro:
            self._linearize(identity)
        return self._mro[identity]

    def _linearize(self, identity: str) -> None:
        """Bases before the classes that derive from them; with a stack of its own, which Python's is too short for."""
        waiting: list[str] = [identity]
        opened: dict[str, list[str]] = {}
        while waiting:
            one = waiting.pop()
            if one in opened:
                self._mro[one] = self._joined(one, opened.pop(one))
            elif one not in self._mro:
                self._mro[one] = (one,)  # for classes that derive from themselves
                opened[one] = self.bases(one)
                waiting.append(one)
                waiting += (base for base in reversed(opened[one]) if ":" in base and base not in self._mro)

    def _joined(self, identity: str, bases: list[str]) -> tuple[str, ...]:
        found = dict.fromkeys([identity])
        for base in bases:
            for one in self._mro[base] if ":" in base else self._knowledge.ancestors(base):
                found.pop(one, None)
                found[one] = None
        return tuple(found)

    def bases(self, identity: str) -> list[str]:
        """The direct bases of a class: ids and library names."""
        file, fact = self._scopes.class_(identity)
        if file is None or fact is None:
            return []
        scope = file.body.functions.get(fact.qualname.rpartition(".")[0], file.body.functions[""])
        named = (value for path in fact.bases for value in self._meaning(file, scope, path.removesuffix("[]")).values)
        return [value.name for value in named if value.sort in (Sort.CLASS, Sort.LIBRARY) and value.name != identity]

    def attribute_owner(self, identity: str, name: str) -> str:
        """The topmost class of the program in the hierarchy of `identity` that binds the attribute."""
        owner = identity
        for base in self.mro(identity):
            if ":" in base and self._binds(base, name):
                owner = base
        return owner

    def _binds(self, identity: str, name: str) -> bool:
        """Whether the class binds the attribute, in its body or through `self` in its methods."""
        key = (identity, name)
        known = self._bound.get(key)
        if known is None:
            _, fact = self._scopes.class_(identity)
            inside = fact is not None and any(one == name for one, _ in fact.binds)
            known = self._bound[key] = inside or any(
                path == receiver + name and bits & Touch.WRITE
                for _, function, receiver in self._scopes.naming(identity, name)
                for path, bits, _ in function.touches
            )
        return known

    def attributes(self, identity: str) -> frozenset[str]:
        """The attributes that a class binds, in its body and through `self` in its methods."""
        known = self._own_attributes.get(identity)
        if known is None:
            _, fact = self._scopes.class_(identity)
            names = {name for name, _ in fact.binds} if fact is not None else set()
            for _, function, receiver in self._scopes.members(identity):
                for path, bits, _ in function.touches:
                    if bits & Touch.WRITE and path.startswith(receiver) and path.count(".") == 1:
                        names.add(path[len(receiver) :])
            known = self._own_attributes[identity] = frozenset(names)
        return known

    def family(self, identity: str) -> tuple[str, ...]:
        """The class and every class of the program that derives from it."""
        known = self._families.get(identity)
        if known is None:
            found = [identity]
            for one in found:
                found += [sub for sub in self.subclasses(one) if sub not in found]
            known = self._families[identity] = tuple(found)
        return known

    def subclasses(self, identity: str) -> list[str]:
        """The classes of the program that name the class among their bases."""
        known = self._subclasses.get(identity)
        if known is None:
            name = identity.rpartition(":")[2].rpartition(".")[2]
            known = [one for one in self._by_base.get(name, ()) if identity in self.bases(one)]
            self._subclasses[identity] = known
        return known

    @cached_property
    def _by_base(self) -> dict[str, list[str]]:
        """Classes by the last names of their bases, as written or as imported."""
        found: dict[str, list[str]] = {}
        for file in self._files:
            renamed = {one.name: one.target.rpartition(".")[2] for one in file.header.imports}
            for qualname, bases in file.header.classes:
                for base in bases:
                    last = base.removesuffix("[]").rpartition(".")[2]
                    found.setdefault(renamed.get(last, last), []).append(function_id(file.path, qualname))
        return found

    def deriving(self, library: frozenset[str]) -> list[str]:
        """The classes of the program that derive from one of the library classes, directly or not."""
        others = (alias for alias, name in self._knowledge.aliases.items() if name in library)
        last = {name.rpartition(".")[2] for name in (*library, *others)}
        candidates = [one for name in last for one in self._by_base.get(name, ())]
        found = dict.fromkeys(one for one in candidates if library & {*self.mro(one)})
        for one in list(found):
            found.update(dict.fromkeys(self.family(one)))
        return list(found)
