"""Who calls whom: the functions of the program that a call may run, and the calls that may run a function."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from conclint.index.facts import CallFact, FunctionFact, Use
from conclint.program.files import File
from conclint.program.names import PROPERTIES, Names
from conclint.program.testfiles import only_tests
from conclint.program.values import Meaning, Reach, Sort, Value, function_id, split_id

# A method name with more candidate callers than this is everybody's (`get`, `run`): its callers stay unknown.
MOST_CALLERS = 400


class Site(NamedTuple):
    """A call where it stands."""

    file: File
    function: FunctionFact
    call: CallFact

    def __hash__(self) -> int:
        return hash((self.function.qualname, self.call))  # a function's facts are many

    @property
    def caller(self) -> str:
        return function_id(self.file.path, self.function.qualname)


# What has the classes of which an object is made.
CLASSES = (".__bases__", ".__mro__")


def is_base_call(site: Site) -> bool:
    """`Base.method(self, …)`: the receiver is the caller's own, or the one that it has captured."""
    base, _, name = site.call.func.rpartition(".")
    if not base or not name or not base.rpartition(".")[2].lstrip("_")[:1].isupper() or not site.call.args:
        return False
    receiver = _receiver(site)
    return bool(receiver) and site.call.args[0] == receiver and base.partition(".")[0] != receiver


def hands_itself(site: Site) -> bool:
    """`base.method(self, …)` in a method that goes through the classes of its object, `base` being its own name."""
    base, _, _ = site.call.func.rpartition(".")
    if not site.call.args or not any(name == base for name, _ in site.function.binds) or not site.function.owner:
        return False
    paths = (path for path, _, _ in site.function.touches)
    return site.call.args[0] == _receiver(site) and any(path.endswith(CLASSES) for path in paths)


def _receiver(site: Site) -> str:
    """What the method in which the call stands, itself or in a function inside, calls its object."""
    functions, scope = site.file.body.functions, site.function
    while not scope.owner:
        outer = scope.enclosing
        if not outer or outer not in functions:
            return ""
        scope = functions[outer]
    return scope.params[0].name if scope.params else ""


class _Block(NamedTuple):
    """The block of a `with`, by its lines, and what its variable `name` is there."""

    first: int
    last: int
    name: str
    entered: str


def _blocks(function: FunctionFact) -> tuple[_Block, ...]:
    found = [(target.split("."), path) for target, path in function.binds if target.startswith("$with.")]
    return tuple(_Block(int(first), int(last), name, path) for (_, name, first, last), path in found)


class Calls:
    """The call graph, drawn only where somebody looks."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.files = names.files
        self._functions: dict[str, tuple[File, FunctionFact]] = {}
        self._targets: dict[tuple[str, str, str], tuple[Value, ...]] = {}
        self._on: dict[str, dict[str, list[Site]]] = {}
        self._by_target: dict[tuple[str, str], dict[str, list[Site]]] = {}
        self._callers: dict[str, tuple[Site, ...]] = {}
        self._blocks: dict[tuple[str, str], tuple[_Block, ...]] = {}

    def function(self, identity: str) -> tuple[File, FunctionFact]:
        """A function of the program by its id."""
        known = self._functions.get(identity)
        if known is None:
            path, qualname = split_id(identity)
            file = self.files[path]
            known = self._functions[identity] = file, file.body.functions[qualname]
        return known

    def meaning(self, site: Site) -> Meaning:
        """What is called."""
        return self.names.meaning(site.file, site.function, self._entered(site) or site.call.func)

    def _entered(self, site: Site) -> str:
        """What is called, where the variable of a `with` block is something else in another block of the function."""
        head, dot, rest = site.call.func.partition(".")
        key = (site.file.path, site.function.qualname)
        blocks = self._blocks.get(key)
        if blocks is None:
            blocks = self._blocks[key] = _blocks(site.function)
        if not blocks or not dot:
            return ""
        around = [one for one in blocks if one.name == head and one.first <= site.call.line <= one.last]
        return f"{max(around).entered}.{rest}" if around else ""

    def library_names(self, site: Site) -> frozenset[str]:
        """The library names that the call may mean: a method under its class and that class's bases too."""
        return frozenset(name for value in self.meaning(site).values for name in self.library_spellings(value))

    def library_spellings(self, value: Value) -> tuple[str, ...]:
        """Under which library names a value is known; a class of the program under those of its library bases."""
        if value.sort is Sort.LIBRARY:
            return self.names.library.spellings(value.name)
        if value.sort is Sort.CLASS:
            return tuple(base for base in self.names.classes.mro(value.name) if ":" not in base)
        return ()

    def targets(self, file: File, function: FunctionFact, path: str) -> tuple[Value, ...]:
        """The functions of the program that calling `path` runs: with overrides, constructors as `__init__`."""
        key = (file.path, function.qualname, path)
        known = self._targets.get(key)
        if known is None:
            known = self._targets[key] = tuple(dict.fromkeys(self._resolve(file, function, path)))
        return known

    def _resolve(self, file: File, function: FunctionFact, path: str) -> Iterator[Value]:
        for value in self.names.meaning(file, function, path).values:
            if value.sort is Sort.FUNCTION:
                yield value
                if value.owner and value.reach is Reach.SELF:
                    yield from self.overrides(value)
            elif value.sort is Sort.CLASS:
                for name in ("__new__", "__init__", "__post_init__"):
                    yield from self._method(value.name, name, Reach.FRESH)
            elif value.sort is Sort.INSTANCE and ":" in value.name:
                yield from self._method(value.name, "__call__", Reach.OTHER)

    def _method(self, cls: str, name: str, reach: Reach) -> Iterator[Value]:
        found = self.method(cls, name)
        if found:
            yield Value(Sort.FUNCTION, found, cls, reach)

    def method(self, cls: str, name: str) -> str:
        """The id of the method that an instance of `cls` runs under `name`, if the program defines it."""
        for base in self.names.classes.mro(cls):
            for qualname in self.names.scopes.methods(base).get(name, ()) if ":" in base else ():
                return function_id(split_id(base)[0], qualname)
        return ""

    def forget(self, identity: str) -> None:
        """Asks again what happens in a function, since more is known of its parameters now."""
        file, function = self.function(identity)
        paths = {path for path, _, _ in function.touches} | {path for pair in function.binds for path in pair}
        for call in function.calls:
            paths |= {call.func, call.func.rpartition(".")[0], *call.args, *(path for _, path in call.keywords)}
        self.names.forget(file, function, paths)
        for path in paths:
            self._targets.pop((file.path, function.qualname, path), None)
            self._targets.pop((file.path, function.qualname, path + "?"), None)

    def renew(self) -> None:
        """Looks for callers again, since more is known of what calls mean."""
        self._callers.clear()
        self._by_target.clear()

    def getters(self, file: File, function: FunctionFact, path: str) -> tuple[Value, ...]:
        """The property that reading `path` runs, if it is one of a class of the program."""
        owner, dot, name = path.rpartition(".")
        if not dot:
            return ()
        key = (file.path, function.qualname, path + "?")
        known = self._targets.get(key)
        if known is None:
            meaning = self.names.meaning(file, function, owner)
            known = self._targets[key] = tuple(
                Value(Sort.FUNCTION, found, value.name, meaning.reach)
                for value in meaning.values
                if value.sort is Sort.INSTANCE and ":" in value.name and (found := self._property(value.name, name))
            )
        return known

    def _property(self, cls: str, name: str) -> str:
        found = self.method(cls, name)
        return found if found and PROPERTIES & {*self.function(found)[1].decorators} else ""

    def overrides(self, value: Value) -> Iterator[Value]:
        """What the same call runs on an object of a subclass."""
        name = value.name.rpartition(".")[2].partition("#")[0]
        for sub in self.names.classes.family(value.owner)[1:]:
            for qualname in self.names.scopes.methods(sub).get(name, ()):
                yield Value(Sort.FUNCTION, function_id(split_id(sub)[0], qualname), sub, value.reach)

    # -- backwards

    def callers(self, identity: str) -> tuple[Site, ...]:
        """The calls in the program that may run the function."""
        known = self._callers.get(identity)
        if known is None:
            known = self._callers[identity] = tuple(self._find_callers(identity))
        return known

    def _find_callers(self, identity: str) -> Iterator[Site]:
        file, function = self.function(identity)
        name = function.name
        if name in ("__init__", "__post_init__", "__new__"):
            name = function.owner.rpartition(".")[2].partition("#")[0]
        near = list(self.files.calling(name, file.path))
        if sum(one.body.functions.count(spelled) for one, spelled in near) > MOST_CALLERS:
            near = [(file, name)]  # only those near enough to be meant for certain
        for one, spelled in near:
            yield from self._called(one, spelled).get(identity, ())

    def _called(self, file: File, name: str) -> dict[str, list[Site]]:
        """By function of the program: the calls in the file whose last name it is, and that may run the function."""
        key = (file.path, name)
        known = self._by_target.get(key)
        if known is None:
            known = {}
            for function, call in self.in_file(file, name):
                for identity in {value.name for value in self.targets(file, function, call.func)}:
                    known.setdefault(identity, []).append(Site(file, function, call))
            self._by_target[key] = known  # only now: what a call means may lead back here
        return known

    def calls_named(self, name: str, near: str = "") -> Iterator[Site]:
        """Every call in the program of that last name, or of what is imported so; or in files that know of `near`."""
        for file, spelled in self.files.calling(name, near):
            yield from (Site(file, function, call) for function, call in self.in_file(file, spelled))

    def calls_on(self, attribute: str, method: str) -> list[Site]:
        """Every call `….attribute.method()` in the program, whatever stands before the attribute."""
        known = self._on.get(method)
        if known is None:
            known = self._on[method] = {}
            for site in self.calls_named(method):
                owner = site.call.func.replace("[*]", "[]").rpartition(".")[0]
                if "." in owner:
                    known.setdefault(owner.rpartition(".")[2], []).append(site)
        return known.get(attribute, [])

    def in_file(self, file: File, name: str) -> Iterator[tuple[FunctionFact, CallFact]]:
        """The calls in one file whose last name is `name`."""
        return file.body.functions.calling(name)

    def once(self, site: Site) -> bool:
        """Whether it happens once in the process: in `main`, or where only the top of a module leads."""
        callers = self.callers(site.caller) if site.function.qualname else ()
        if any(one.call.use & Use.LOOP for one in callers):
            return False
        return site.function.qualname == "main" or (bool(callers) and not any(one.function.qualname for one in callers))

    def repeated(self, site: Site) -> bool:
        """Whether the call can happen several times: in a loop, or in a function that is called in one."""
        if site.call.use & Use.LOOP:
            return True
        return any(
            caller.call.use & Use.LOOP and not only_tests(site.file.path, caller.file.path)
            for caller in self.callers(site.caller)
        )
