"""Which files can know of each other: those of one package, and of packages of which one imports the other.

A program is often several packages and loose folders side by side.  What looks for a name's users by its spelling alone
need not look where nobody can mean the same thing.
"""

from __future__ import annotations

import posixpath
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conclint.program.files import File


class Packages:
    """Answers for one program's files by path."""

    def __init__(self, by_path: Mapping[str, File]) -> None:
        self._by_path = by_path
        self._tops: dict[str, str] = {}  # by folder

    def near(self, path: str, files: Iterable[File]) -> Iterator[File]:
        """Of the files those that can know of what the file at `path` defines, or hand something to it."""
        related = self._related[self.top(path)]
        for file in files:
            if self._top(file.package) in related:
                yield file

    def top(self, path: str) -> str:
        """The outermost package, or the folder, that the file at `path` belongs to."""
        return self._top(posixpath.dirname(path))

    def _top(self, folder: str) -> str:
        """The outermost package that the folder belongs to; itself if it is none."""
        known = self._tops.get(folder)
        if known is None:
            outer = posixpath.dirname(folder)
            inside = outer != folder and f"{outer}/__init__.py" in self._by_path
            known = self._tops[folder] = self._top(outer) if inside else folder
        return known

    def islands(self) -> list[list[str]]:
        """The files in groups of which none knows of another, in the order in which their first files stand."""
        reached: dict[str, str] = {}
        for top in self._related:
            left = [] if top in reached else [top]
            while left:
                one = left.pop()
                if one not in reached:
                    reached[one] = top
                    left += self._related[one]
        found: dict[str, list[str]] = {}
        for path in self._by_path:
            found.setdefault(reached[self.top(path)], []).append(path)
        return list(found.values())

    @cached_property
    def _related(self) -> dict[str, frozenset[str]]:
        """By outermost package: itself, all that it imports, directly or not, and all that import it."""
        reached = {top: frozenset(self._reached(top)) for top in self._imports}
        found = {top: set(others) for top, others in reached.items()}
        for top, others in reached.items():
            for other in others:
                found[other].add(top)
        return {top: frozenset(others) for top, others in found.items()}

    def _reached(self, top: str) -> set[str]:
        found = {top}
        left = [top]
        while left:
            fresh = self._imports[left.pop()] - found
            found |= fresh
            left += fresh
        return found

    @cached_property
    def _imports(self) -> dict[str, set[str]]:
        """By outermost package: those that it may import, told by the first part of what is imported."""
        roots: dict[str, set[str]] = {}
        named: dict[str, set[str]] = {}
        for path, file in self._by_path.items():
            top = self._top(file.package)
            roots.setdefault(top, set()).update(file.roots)
            if f"{top}/__init__.py" not in self._by_path:
                named.setdefault(posixpath.basename(path).partition(".")[0], set()).add(top)
        for top in roots:
            for part in top.split("/"):  # of a package without `__init__.py` the outer folders are imported too
                named.setdefault(part, set()).add(top)
        for name in ("", *sys.stdlib_module_names):
            named.pop(name, None)
        return {
            top: {*_named(some, named), *(_around(top, roots) if "" in some else ())} for top, some in roots.items()
        }


def _named(roots: Iterable[str], named: Mapping[str, set[str]]) -> Iterator[str]:
    return (top for root in roots for top in named.get(root, ()))


def _around(top: str, others: Iterable[str]) -> Iterator[str]:
    """What a relative import can mean: the folders above and below."""
    return (one for one in others if f"{one}/".startswith(f"{top}/") or f"{top}/".startswith(f"{one}/") or not one)
