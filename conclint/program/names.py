"""What a path means where it stands: names followed over scopes, files, classes and calls.

Flow-insensitive: a name means everything that its scope ever binds to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from conclint.index.facts import FunctionFact, Kind
from conclint.knowledge.kinds import Knowledge
from conclint.program.classes import Classes
from conclint.program.files import File, Files
from conclint.program.injected import Injected
from conclint.program.library import LITERALS, Library, generated, may_have
from conclint.program.questions import Asked, Key
from conclint.program.scopes import Passed, Scopes, prefixed
from conclint.program.stores import Stores
from conclint.program.values import Meaning, Reach, Sort, Store, Value, few, function_id, split_id, steps_of

NOTHING = Meaning()

PROPERTIES = frozenset({"property", "functools.cached_property", "cached_property"})

parsed = lru_cache(maxsize=65536)(steps_of)


class Names:
    """Answers `meaning(function, path)`; every answer is kept."""

    def __init__(self, files: Files, knowledge: Knowledge) -> None:
        self.files = files
        self.knowledge = knowledge
        self._meanings: dict[Key, Meaning] = {}
        self._globals: dict[Key, Meaning] = {}
        self._held: dict[Store, Sequence[Value]] = {}
        self._asked = Asked()
        self.passed: dict[tuple[str, str], list[Passed]] = {}
        self.aliases: dict[Store, list[tuple[str, str]]] = {}  # the functions with a parameter for it, and its name
        self.library = Library(knowledge)
        self.scopes = Scopes(files)
        self.classes = Classes(files, self.scopes, knowledge, self.meaning)
        self.stores = Stores(files, self.scopes, self.classes)
        self.injected = Injected(files, self.meaning)

    # -- the question

    def meaning(self, file: File, function: FunctionFact, path: str) -> Meaning:
        """What `path` denotes in `function` of `file`."""
        key = (file.path, function.qualname, path)
        known = self._meanings.get(key)
        if known is not None:
            return known
        if not path or path[0] == "=" or not self._asked.begin(key):
            return NOTHING
        try:
            found = self._evaluate(file, function, parsed(path))
        finally:
            whole = self._asked.end(key)
        if whole or found.values:
            self._meanings[key] = found
        return found

    def _evaluate(self, file: File, function: FunctionFact, steps: tuple[str, ...]) -> Meaning:
        if len(steps) == 1:
            return self._head(file, function, steps[0])
        # Paths share their beginnings: `self.x` is known when `self.x.append` is asked for.
        here = self.meaning(file, function, "".join(steps[:-1]))
        return here if here is NOTHING else self._step(here, steps[-1])

    def forget(self, file: File, function: FunctionFact, paths: Iterable[str]) -> None:
        """Drops what is known of paths in a function, since more is known of its parameters now."""
        self._held.clear()
        for path in paths:
            steps = parsed(path)
            for length in range(1, len(steps) + 1):
                self._meanings.pop((file.path, function.qualname, "".join(steps[:length])), None)

    # -- heads

    def _head(self, file: File, function: FunctionFact, name: str) -> Meaning:
        if name.startswith("$"):
            return self._literal(file, function, name)
        if name == "super":
            return self._super(file, function)
        scope: FunctionFact | None = function
        while scope is not None:
            found = self._in_scope(file, scope, name, captured=scope is not function)
            if found is not None:
                return found
            scope = self.scopes.enclosing(file, scope)
        return self._star(file, name) or Meaning((Value(Sort.LIBRARY, "builtins." + name),))

    def _literal(self, file: File, function: FunctionFact, name: str) -> Meaning:
        if name.startswith("$lambda"):
            for qualname in prefixed(function.qualname, name):
                if qualname in file.body.functions:
                    return Meaning((Value(Sort.FUNCTION, function_id(file.path, qualname)),))
            return NOTHING
        made = LITERALS.get(name)
        return Meaning((Value(Sort.INSTANCE, made),), None, Reach.FRESH) if made else NOTHING

    def _super(self, file: File, function: FunctionFact) -> Meaning:
        owner = self.scopes.method_owner(file, function)
        if not owner:
            return NOTHING
        value = Value(Sort.LIBRARY, "builtins.super", function_id(file.path, owner))
        return Meaning((value,), None, Reach.SELF)

    def _in_scope(self, file: File, scope: FunctionFact, name: str, *, captured: bool) -> Meaning | None:
        """What `name` means if `scope` binds it; None if it does not."""
        if name in scope.globals and scope.qualname:
            return self._in_scope(file, file.body.functions[""], name, captured=True)
        if name in scope.nonlocals:
            return None
        receiver = self.scopes.receiver(file, scope, name)
        if receiver is not None:
            return receiver
        imported = file.imports.get((scope.qualname, name))
        origin = self._imported(file, imported.target) if imported is not None else NOTHING
        values = [*origin.values, *self.scopes.defined(file, scope, name)]
        bound = self.scopes.bindings(file, scope)
        if name not in bound and origin.store is not None:
            return origin  # another file's global, under this name too
        if name not in bound and not values:
            return None
        owner = file.path if not scope.qualname else function_id(file.path, scope.qualname)
        store = Store("local" if scope.qualname else "global", owner, name)
        reach = Reach.SHARED if captured or not scope.qualname else Reach.OTHER
        made = self._bound(file, scope, bound.get(name, ()))
        passed = self._passed(owner, name, bound.get(name, ()), known=bool(made))
        if passed:
            made = made or self.injected.given(passed)
            reach = Reach.SHARED if captured or any(one.reach is Reach.SHARED for one in passed) else reach
            store = self.injected.origin(passed) or store
        elif not made and scope.owner and scope.name == "__init__":
            made = self.injected.values(file, scope, name)
        elif reach is Reach.OTHER and made and all(_makes(one) for one in bound[name] if one):
            reach = Reach.FRESH
        return Meaning(few([*values, *made]), store, reach)

    def _passed(self, owner: str, name: str, bound: Sequence[str], *, known: bool) -> Sequence[Passed]:
        """What workers are given for it, where it is a parameter; `known`: what it may be is told by an annotation."""
        if known and not all(path[:1] in (":", "") for path in bound):
            return ()  # bound anew
        passed = self.passed.get((owner, name), ())
        return passed if passed and (not known or passed[0].first) else ()

    def _bound(self, file: File, scope: FunctionFact, paths: Iterable[str]) -> list[Value]:
        values: list[Value] = []
        for path in paths:
            if path.startswith(":"):
                values += self._instances(self.meaning(file, scope, path[1:]).values)
            elif path:
                values += self.meaning(file, scope, path).values
        return values

    @staticmethod
    def _instances(classes: Iterable[Value]) -> Iterator[Value]:
        """Instances of the classes that an annotation names."""
        for value in classes:
            if value.sort is Sort.CLASS or (value.sort is Sort.LIBRARY and value.name != "builtins.None"):
                yield Value(Sort.INSTANCE, value.name)

    # -- imports

    def _imported(self, file: File, target: str) -> Meaning:
        path = self.files.module(file, target)
        if path is not None:
            return Meaning((Value(Sort.MODULE, path),))
        module, dot, name = target.rpartition(".")
        while dot and not module.strip("."):
            # `from . import name`: the package itself.
            module, dot = module + ".", ""
        parent = self.files.module(file, module) if module else None
        if parent is not None:
            return self.global_(parent, name)
        if target.startswith("."):
            return NOTHING
        return Meaning((Value(Sort.LIBRARY, self.knowledge.canonical(target)),))

    def _star(self, file: File, name: str) -> Meaning | None:
        for target in file.stars:
            path = self.files.module(file, target)
            if path is not None and path != file.path:
                found = self.global_(path, name)
                if found.values or found.store:
                    return found
            elif path is None and (known := self.knowledge.canonical(f"{target}.{name}")) in self.library.names:
                return Meaning((Value(Sort.LIBRARY, known),))
        return None

    def global_(self, path: str, name: str) -> Meaning:
        """What the global `name` of the file at `path` denotes."""
        key = (path, "", name)
        known = self._globals.get(key)
        if known is not None:
            return known
        if not self._asked.begin(key):
            return NOTHING
        try:
            found = self._global(self.files[path], name)
        finally:
            whole = self._asked.end(key)
        if whole:
            self._globals[key] = found
        return found

    def _global(self, file: File, name: str) -> Meaning:
        module = file.function("")
        if module is None:
            return NOTHING
        found = self._in_scope(file, module, name, captured=True)
        if found is not None:
            return found
        if file.path.endswith("__init__.py"):
            inner = self.files.module(file, "." + name)
            if inner is not None:
                return Meaning((Value(Sort.MODULE, inner),))
        return self._star(file, name) or NOTHING

    # -- steps

    def _step(self, here: Meaning, step: str) -> Meaning:
        if step == "()":
            return self._called(here)
        if step[0] == "[" or step[1:].isdigit():
            return self._item(here, "[]" if step[0] == "[" else step)
        return self._attribute(here, step[1:])

    def _item(self, here: Meaning, step: str) -> Meaning:
        if here.store is None:
            return NOTHING
        store = here.store._replace(path=here.store.path + step)
        return Meaning(few(self.held(store)), store, here.reach)

    def held(self, store: Store) -> Sequence[Value]:
        """All values that somebody puts into `store`."""
        known = self._held.get(store)
        if known is None:
            puts = self.stores.puts(store)
            known = tuple(value for file, function, path in puts for value in self._bound(file, function, [path]))
            if self._asked.whole:
                self._held[store] = known
        return known

    def _called(self, here: Meaning) -> Meaning:
        values: list[Value] = []
        store, reach = None, Reach.FRESH
        for value in here.values:
            if value.sort is Sort.CLASS:
                values.append(Value(Sort.INSTANCE, value.name))
            elif value.sort is Sort.FUNCTION:
                values += self.returned(value.name)
                store = Store("local", value.name, "$return")
                reach = Reach.OTHER
            elif value.sort is Sort.LIBRARY:
                made = self.library.made(value)
                values += [made] if made else []
                if value.name.endswith(".__enter__"):
                    reach = here.reach
            elif value.sort is Sort.INSTANCE and ":" not in value.name:
                made = self.library.made(Value(Sort.LIBRARY, value.name + ".__call__"))
                values += [made] if made else []
        return Meaning(few(values), store, reach)

    def returned(self, identity: str) -> list[Value]:
        """What calling the function gives."""
        path, qualname = split_id(identity)
        file = self.files[path]
        function = file.function(qualname)
        if function is None:
            return []
        if function.kind & Kind.GENERATOR:
            return generated(function)
        return list(few(self._bound(file, function, function.returns)))

    def _attribute(self, here: Meaning, name: str) -> Meaning:
        values: list[Value] = []
        store: Store | None = None
        for value in here.values:
            if value.sort is Sort.MODULE:
                found = self.global_(value.name, name)
                values += found.values
                store = found.store or Store("global", value.name, name)
            elif value.sort is Sort.LIBRARY and value.name == "builtins.super":
                values += self._inherited(value.owner, name)
            elif value.sort is Sort.LIBRARY:
                values.append(Value(Sort.LIBRARY, self.knowledge.canonical(f"{value.name}.{name}")))
            elif value.sort is not Sort.FUNCTION:
                found = self._member(value, name, here.reach)
                values += found.values
                store = found.store or store
        reach = Reach.SHARED if store is not None and store.sort == "global" else here.reach
        return Meaning(few(values), store, reach)

    def _inherited(self, cls: str, name: str) -> Iterator[Value]:
        for base in self.classes.mro(cls)[1:]:
            found = list(self._own_member(base, name, cls, Reach.SELF))
            if found:
                yield from found
                return

    def _member(self, value: Value, name: str, reach: Reach) -> Meaning:
        """An attribute of an object or class: a method, or what the constructor and others put there."""
        if ":" not in value.name:
            return Meaning((self.library.member(value.name, name),), None, reach)
        if name == "__class__" and value.sort is Sort.INSTANCE:
            return Meaning((Value(Sort.CLASS, value.name),), None, reach)
        for base in self.classes.mro(value.name):
            found = list(self._own_member(base, name, value.name, reach))
            if found:
                return Meaning(tuple(found))
        owner = self.classes.attribute_owner(value.name, name)
        store = Store("attribute", owner, name)
        values = self.held(store)
        if not values:
            library = [base for base in self.classes.mro(value.name) if ":" not in base]
            found = [self.library.member(base, name) for base in library[:1] if may_have(base, name)]
            values = [one._replace(owner=value.name) for one in found] if name == "__enter__" else found
        return Meaning(few(values), store)

    def _own_member(self, base: str, name: str, receiver: str, reach: Reach) -> Iterator[Value]:
        """The method or property `name` that the class `base` itself defines."""
        if ":" not in base:
            return
        file, fact = self.scopes.class_(base)
        if file is None or fact is None:
            return
        for qualname in self.scopes.methods(base).get(name, ()):
            function = file.body.functions[qualname]
            if PROPERTIES & {*function.decorators}:
                yield from self.returned(function_id(file.path, qualname))
                yield Value(Sort.LIBRARY, "builtins.property")
            else:
                yield Value(Sort.FUNCTION, function_id(file.path, qualname), receiver, reach)
        for inner in file.by_short_name.get((fact.qualname, name), ()):
            if inner in file.body.classes:
                yield Value(Sort.CLASS, function_id(file.path, inner))


def _makes(path: str) -> bool:
    """Whether the path stands for a new object: a call or a literal."""
    return path.endswith("()") or path.startswith("$")
