"""The files of a program, and which of them an import means."""

from __future__ import annotations

import posixpath
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType

from conclint.index import decode_body, decode_header
from conclint.index.facts import ClassFact, FunctionFact, Header, ImportFact
from conclint.index.stored import Body
from conclint.program.packages import Packages

# The encoded indexes of files, by path.
Indexes = Iterable[tuple[str, bytes]]

NONE: Mapping[str, Header] = MappingProxyType({})


class File:
    """One file's index, unfolded as far as somebody looks into it."""

    def __init__(self, path: str, blob: bytes, header: Header | None = None) -> None:
        self.path = path
        self._blob = blob
        self.header: Header = header or decode_header(blob)

    @cached_property
    def body(self) -> Body:
        blob, self._blob = self._blob, b""  # what is left of it stands in the body
        return decode_body(blob)

    @cached_property
    def package(self) -> str:
        """The folder against which its relative imports count."""
        return posixpath.dirname(self.path)

    @cached_property
    def imports(self) -> dict[tuple[str, str], ImportFact]:
        """By scope and name; the last one wins, as at run time."""
        return {(one.scope, one.name): one for one in self.header.imports if one.name not in ("", "*")}

    @cached_property
    def renamed(self) -> frozenset[str]:
        """The names that mean something of another name elsewhere."""
        return frozenset(one.name for one in self.header.imports if one.target.rpartition(".")[2] != one.name)

    @cached_property
    def stars(self) -> tuple[str, ...]:
        """The modules whose names it imports with a star."""
        return tuple(one.target for one in self.header.imports if one.name == "*")

    @cached_property
    def roots(self) -> frozenset[str]:
        """The first parts of the library and project names that it imports."""
        return frozenset(one.target.partition(".")[0] for one in self.header.imports)

    def function(self, qualname: str) -> FunctionFact | None:
        return self.body.functions.get(qualname)

    def class_(self, qualname: str) -> ClassFact | None:
        return self.body.classes.get(qualname)

    def functions(self) -> Iterator[FunctionFact]:
        return iter(self.body.functions.values())

    @cached_property
    def by_short_name(self) -> dict[tuple[str, str], list[str]]:
        """Functions and classes by scope and bare name: a name may be defined twice, on two branches."""
        found: dict[tuple[str, str], list[str]] = {}
        for qualname in (*self.body.functions, *self.body.classes):
            scope, _, name = qualname.rpartition(".")
            found.setdefault((scope, name.partition("#")[0]), []).append(qualname)
        return found


class Occurrences:
    """The files in which a name occurs in some role, in the order of the program."""

    def __init__(self, packages: Packages, names: Iterable[tuple[File, Iterable[str]]]) -> None:
        self._packages = packages
        self._files: dict[str, list[File]] = {}
        self._near: dict[tuple[str, str], tuple[File, ...]] = {}
        for file, some in names:
            for name in some:
                self._files.setdefault(name, []).append(file)

    def of(self, name: str) -> Sequence[File]:
        return self._files.get(name, ())

    def near(self, path: str, name: str) -> tuple[File, ...]:
        """Those of them that can know of what the file at `path` defines, or hand something to it."""
        key = (self._packages.top(path), name)
        known = self._near.get(key)
        if known is None:
            known = self._near[key] = tuple(self._packages.near(path, self.of(name)))
        return known


class Files:
    """All files of a program by path; finds the file that a module name means.  `headers`: those that are known."""

    def __init__(self, indexes: Indexes, headers: Mapping[str, Header] = NONE) -> None:
        self.by_path = {path: File(path, blob, headers.get(path)) for path, blob in indexes}
        self._ends: dict[str, list[str]] = {}
        for path in self.by_path:
            stem = path[: -len("/__init__.py")] if path.endswith("/__init__.py") else path.rpartition(".")[0]
            self._ends.setdefault(stem.rpartition("/")[2], []).append(stem)
        self._found: dict[tuple[str, str], str | None] = {}
        self.packages = Packages(self.by_path)

    def __iter__(self) -> Iterator[File]:
        return iter(self.by_path.values())

    def __getitem__(self, path: str) -> File:
        return self.by_path[path]

    def importing(self, *names: str, near: str = "") -> list[File]:
        """The files that have one of the names somewhere in what they import; and can know of the file at `near`."""
        found = (self.imports.near(near, name) if near else self.imports.of(name) for name in names)
        return list(dict.fromkeys(file for some in found for file in some))

    @cached_property
    def imports(self) -> Occurrences:
        """By each part of what they import."""
        parts = ((file, {part for one in file.header.imports for part in one.target.split(".")}) for file in self)
        return Occurrences(self.packages, parts)

    @cached_property
    def changes(self) -> Occurrences:
        """By the last names of what is changed in them."""
        return Occurrences(self.packages, ((file, file.header.touched) for file in self))

    @cached_property
    def calls(self) -> Occurrences:
        """By the last names of what is called in them."""
        return Occurrences(self.packages, ((file, file.header.called) for file in self))

    def calling(self, name: str, near: str = "") -> Iterator[tuple[File, str]]:
        """The files that call something of that name, and how they call it; of those that can know of `near`."""
        for file in self.calls.near(near, name) if near else self.calls.of(name):
            yield file, name
        renamed = self._renamed.get(name, ())
        known = {*self.packages.near(near, (file for file, _ in renamed))} if near and renamed else None
        yield from (one for one in renamed if known is None or one[0] in known)

    @cached_property
    def _renamed(self) -> dict[str, list[tuple[File, str]]]:
        """By the last names of what is imported: the files that call it by another name, and that one."""
        found: dict[str, dict[tuple[File, str], None]] = {}
        for file in self:
            for one in file.header.imports:
                last = one.target.rpartition(".")[2]
                if one.name != last and one.name in file.header.called:
                    found.setdefault(last, {})[file, one.name] = None
        return {name: list(some) for name, some in found.items()}

    def module(self, importer: File, target: str) -> str | None:
        """The path of the file that `target` means in `importer` (leading dots: relative), if it is of this program."""
        key = (importer.package if target.startswith(".") else importer.path, target)
        if key not in self._found:
            find = self._relative if target.startswith(".") else self._absolute
            self._found[key] = find(importer, target)
        return self._found[key]

    def _relative(self, importer: File, target: str) -> str | None:
        name = target.lstrip(".")
        folder = importer.package
        for _ in range(len(target) - len(name) - 1):
            folder = posixpath.dirname(folder)
        return self._file(posixpath.join(folder, *name.split(".")) if name else folder)

    def _absolute(self, importer: File, target: str) -> str | None:
        """Of the files whose path ends like the name, the one nearest to the importer."""
        if target.partition(".")[0] in sys.stdlib_module_names:
            return None  # the library's meaning is known; reading its source again would only blur it
        wanted = target.replace(".", "/")
        stems = [
            stem
            for stem in self._ends.get(wanted.rpartition("/")[2], ())
            if (stem == wanted or stem.endswith("/" + wanted)) and self._reachable(importer, stem, wanted)
        ]
        if not stems:
            return None
        return self._file(max(stems, key=lambda stem: (_shared(stem, importer.path), -len(stem))))

    def _reachable(self, importer: File, stem: str, wanted: str) -> bool:
        """Whether Python would find `wanted` there: below a folder of the importer's path, or in a package's parent."""
        top = stem[: len(stem) - len(wanted)].rstrip("/")
        if (f"{top}/__init__.py" if top else "__init__.py") in self.by_path:
            return False
        if not top or importer.path.startswith(top + "/"):
            return True
        return f"{top}/{wanted.partition('/')[0]}/__init__.py" in self.by_path

    def _file(self, stem: str) -> str | None:
        for path in (f"{stem}.py", f"{stem}/__init__.py" if stem else "__init__.py", f"{stem}.pyw"):
            if path in self.by_path:
                return path
        return None


def _shared(stem: str, path: str) -> int:
    """How much of their folders two files share."""
    return len(posixpath.commonpath(["/" + stem, "/" + path]))
