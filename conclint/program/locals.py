"""Thread-local objects: which thread's values are set, and which are read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from conclint.index.facts import FunctionFact, Kind, Touch
from conclint.knowledge.kinds import Context
from conclint.model import Place, Span
from conclint.program.calls import Calls, Site
from conclint.program.contexts import Contexts
from conclint.program.files import File
from conclint.program.globals import Globals, User
from conclint.program.testfiles import among_tests

LOCAL = "threading.local"

# Who asks like this knows that the attribute may be missing; or sets it under another name.
CAREFUL = frozenset({"hasattr", "getattr", "setattr", "vars", "delattr"})


# Callers of callers are followed so far.
DEEPEST = 4


class Lonely(NamedTuple):
    """An attribute that the module or a constructor sets at `line`, and functions read, first at `read`.

    `sure`: they only read it, and no function asks whether something is missing.
    """

    path: str
    attribute: str
    line: int
    read: Place
    by: str = "module"  # or "maker": a constructor; "main": functions that only the main thread runs
    sure: bool = True


class Locals:
    """Answers about the `threading.local` objects in globals and classes, and about those that constructors make."""

    def __init__(self, calls: Calls, contexts: Contexts, globals_: Globals) -> None:
        self._calls = calls
        self._contexts = contexts
        self._globals = globals_

    def of_one_thread(self) -> Iterator[Lonely]:
        """Attributes that only the importing thread sets, or the one that makes the object, and others read."""
        for site in self._calls.calls_named("local"):
            yield from self._of(site)
        for file in self._calls.files:
            renamed = [one.name for one in file.header.imports if one.target == LOCAL and one.name != "local"]
            for name in renamed:
                for function, call in self._calls.in_file(file, name):
                    yield from self._of(Site(file, function, call))

    def _of(self, site: Site) -> Iterator[Lonely]:
        names = self._calls.library_names(site)
        made = {value.name for value in self._calls.meaning(site).values}
        if LOCAL not in names or any(":" in name for name in made) or among_tests(site.file.path):
            return
        if site.function.name == "__init__" and site.function.owner:
            yield from self._of_object(site)
        if site.function.qualname:
            return
        for name in site.call.goes:
            users = self._users(site.file, site.function, name) if name.isidentifier() else None
            if users is not None and not any(_careful(one.function, one.spelled) for one in users):
                yield from self._attributes(site, name, users)

    # -- of a module or class

    def _users(self, file: File, module: FunctionFact, name: str) -> list[User] | None:
        """All functions that use it; None where others may, of whom nobody can tell."""
        users = self._globals.here(file, name)
        if not any(path == name for path, _, _ in module.touches):
            return [*users, *self._of_class(file, name)] if name.startswith("_") else None
        others = self._globals.elsewhere(file, name)
        return [*users, *others] if others is not None else None

    @staticmethod
    def _of_class(file: File, name: str) -> Iterator[User]:
        """The functions that use it as an attribute of their class."""
        classes = [cls for cls in file.body.classes.values() if name in dict(cls.binds)]
        heads = {cls.qualname for cls in classes}
        for qualname, _ in file.body.functions.touching(name):
            function = file.body.functions[qualname]
            own = {function.params[0].name} if function.params and function.owner in heads else set()
            paths = {path.partition(f".{name}")[0] for path, _, _ in function.touches if f".{name}" in path}
            yield from (User(file, function, f"{head}.{name}") for head in sorted(paths & (own | heads)))

    def _attributes(self, site: Site, name: str, users: list[User]) -> Iterator[Lonely]:
        file, module = site.file, User(site.file, site.function, name)
        importing = [module, *(one for one in users if one.file is file and self._only_at_import(one))]
        others = [one for one in users if one not in importing]
        for one in importing:
            for path, bits, line in one.function.touches:
                owner, _, attribute = path.rpartition(".")
                if owner == name and bits & Touch.WRITE:
                    read = _first_read(others, attribute)
                    if read is not None and not any(each.sets(attribute) for each in others):
                        yield Lonely(file.path, path, line, read)
        yield from self._of_main(others)

    def _only_at_import(self, user: User) -> bool:
        """Whether it is a helper that only the module's own code calls."""
        function = user.function
        private = function.name.startswith("_") and not function.owner and not function.decorators
        callers = self._calls.callers(user.identity) if private else ()
        found = bool(callers) and all(site.function.kind & Kind.MODULE for site in callers)
        return found and not _is_named(user.file, function)

    # -- of the main thread

    def _of_main(self, users: list[User]) -> Iterator[Lonely]:
        """What the program sets before it starts threads, for the main thread alone, and they read."""
        for one in users:
            for path, bits, line in one.function.touches:
                owner, _, attribute = path.rpartition(".")
                if owner == one.spelled and bits & Touch.WRITE and not bits & Touch.AUGMENTED:
                    setting = [each for each in users if each.sets(attribute)]
                    reading = [each for each in users if each not in setting and self._in_thread(each)]
                    read = _first_read(reading, attribute)
                    if read is not None and all(self._only_in_main(each.identity, DEEPEST) for each in setting):
                        yield Lonely(one.file.path, path, line, read, "main")

    def _in_thread(self, user: User) -> bool:
        """Whether a thread runs it, or calls it itself."""
        runs = self._contexts.runs(user.identity)
        return any(run.context is Context.THREAD and (run.via is None or run.via.via is None) for run in runs)

    def _only_in_main(self, identity: str, depth: int) -> bool:
        """Whether all ways to it begin where the program begins, and none in a thread."""
        file, function = self._calls.function(identity)
        if function.kind & Kind.MODULE:
            return True
        if not depth or function.decorators or self._contexts.runs(identity) or _is_named(file, function):
            return False
        callers = [site.caller for site in self._calls.callers(identity) if not among_tests(site.file.path)]
        return bool(callers) and all(self._only_in_main(one, depth - 1) for one in callers)

    # -- of an object

    def _of_object(self, site: Site) -> Iterator[Lonely]:
        """What a constructor sets in a `threading.local` that it has just made, for the thread that runs it."""
        file, maker = site.file, site.function
        for local in site.call.goes:
            receiver, _, name = local.rpartition(".")
            if not maker.params or receiver != maker.params[0].name:
                continue
            others = [file.body.functions[one] for one, _ in file.body.functions.touching(name)]
            methods = [one for one in others if one.owner == maker.owner and one.name != "__init__"]
            careful = any(_careful(one, local) for one in methods)
            for path, bits, line in maker.touches:
                if path.rpartition(".")[0] == local and bits & Touch.WRITE:
                    lonely = Lonely(file.path, path, line, _place(file, 0), "maker", not careful)
                    yield from self._in_methods(methods, lonely)

    def _in_methods(self, methods: list[FunctionFact], lonely: Lonely) -> Iterator[Lonely]:
        """The attribute, if a method reads it that does not set it before."""
        touched = [(one, bits, line) for one in methods for path, bits, line in one.touches if path == lonely.attribute]
        written = {one.qualname for one, bits, _ in touched if bits & Touch.WRITE and not bits & Touch.AUGMENTED}
        reads = [line for one, _, line in touched if one.qualname not in written]
        if reads:
            read = Place(lonely.path, Span(min(reads), 1, min(reads), 1))
            yield lonely._replace(read=read, sure=lonely.sure and not written)


def _first_read(users: list[User], attribute: str) -> Place | None:
    """Where one of them uses the attribute first; tests do not count."""
    for one in users:
        lines = [line for _, line in one.touches(attribute)]
        if lines and not among_tests(one.file.path):
            return _place(one.file, min(lines))
    return None


def _is_named(file: File, function: FunctionFact) -> bool:
    """Whether somebody in the file may hand it on, to be called later."""
    return any(path.rpartition(".")[2] == function.name for one in file.functions() for path, _, _ in one.touches)


def _place(file: File, line: int) -> Place:
    return Place(file.path, Span(line, 1, line, 1))


def _careful(function: FunctionFact, name: str) -> bool:
    inside = any(path.startswith((f"{name}.__dict__", "AttributeError")) for path, _, _ in function.touches)
    return inside or any(call.func in CAREFUL and name in call.args for call in function.calls)
