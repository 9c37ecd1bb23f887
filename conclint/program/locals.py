"""Thread-local objects: which thread's values are set, and which are read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from conclint.index.facts import FunctionFact, Touch
from conclint.program.calls import Calls, Site
from conclint.program.files import File

LOCAL = "threading.local"

# Who asks like this knows that the attribute may be missing; or sets it under another name.
CAREFUL = frozenset({"hasattr", "getattr", "setattr", "vars", "delattr"})


class Lonely(NamedTuple):
    """An attribute that the module or a constructor sets at `line`, and functions read, first at `read`.

    `sure`: they only read it, and no function asks whether something is missing.
    """

    path: str
    attribute: str
    line: int
    read: int
    by_module: bool = True
    sure: bool = True


class Locals:
    """Answers about the `threading.local` objects in globals, and about those that constructors make."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

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
        if LOCAL not in names or any(":" in name for name in made):
            return
        if site.function.name == "__init__" and site.function.owner:
            yield from self._of_object(site)
        if site.function.qualname:
            return
        for name in site.call.goes:
            if name.isidentifier() and not self._shared(site.file, name):
                yield from self._attributes(site.file, site.function, name)

    def _attributes(self, file: File, module: FunctionFact, name: str) -> Iterator[Lonely]:
        functions = [file.body.functions[one] for one in file.body.functions.mentioning(name) if one]
        if any(_careful(function, name) for function in functions):
            return
        for path, bits, line in module.touches:
            if path.rpartition(".")[0] == name and bits & Touch.WRITE:
                touched = [(bits, line) for one in functions for other, bits, line in one.touches if other == path]
                plain = any(bits & Touch.WRITE and not bits & Touch.AUGMENTED for bits, _ in touched)
                if touched and not plain:
                    yield Lonely(file.path, path, line, min(line for _, line in touched))

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
                    yield from self._in_methods(methods, Lonely(file.path, path, line, 0, False, not careful))

    def _in_methods(self, methods: list[FunctionFact], lonely: Lonely) -> Iterator[Lonely]:
        """The attribute, if a method reads it that does not set it before."""
        touched = [(one, bits, line) for one in methods for path, bits, line in one.touches if path == lonely.attribute]
        written = {one.qualname for one, bits, _ in touched if bits & Touch.WRITE and not bits & Touch.AUGMENTED}
        reads = [line for one, _, line in touched if one.qualname not in written]
        if reads:
            yield lonely._replace(read=min(reads), sure=lonely.sure and not written)

    def _shared(self, file: File, name: str) -> bool:
        """Whether another file has the object too, and may set what this one does not."""
        return any(
            one.name == name or one.target.endswith("." + name)
            for other in self._calls.files
            if other.path != file.path
            for one in other.header.imports
            if self._calls.files.module(other, one.target.rpartition(".")[0]) == file.path
        )


def _careful(function: FunctionFact, name: str) -> bool:
    inside = any(path.startswith((f"{name}.__dict__", "AttributeError")) for path, _, _ in function.touches)
    return inside or any(call.func in CAREFUL and name in call.args for call in function.calls)
