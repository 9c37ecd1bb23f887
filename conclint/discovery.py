"""Which files to read: paths as the user gave them → Python files, in a fixed order, and what could not be read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from conclint.globs import Globs

EXTENSIONS = (".py", ".pyw")
ALWAYS_EXCLUDED = frozenset(
    {
        ".eggs",
        ".git",
        ".hg",
        ".mypy_cache",
        ".nox",
        ".pytest_cache",
        ".ruff_cache",
        ".svn",
        ".tox",
        ".venv",
        "__pycache__",
        "node_modules",
        "site-packages",
        "venv",
    }
)
ARTEFACTS = frozenset({"build", "dist"})  # excluded too, unless they are packages


class Loss(Enum):
    """What is lost with a path that cannot be read."""

    NOTHING = "nothing"
    FILE = "file"  # one Python file: a finding
    UNKNOWN = "unknown"  # nobody can say how many files: the run did not do its work


@dataclass(frozen=True)
class Trouble:
    """A path that was not read, and why."""

    path: str
    message: str
    loss: Loss


@dataclass(frozen=True)
class Found:
    """Files to read, sorted, each once, named as the user would name them."""

    files: tuple[str, ...]
    troubles: tuple[Trouble, ...]


def discover(paths: Iterable[str], exclude: Globs, project: Path | None = None) -> Found:
    """The Python files among and below `paths`.  A file that is named itself is taken, whatever its name."""
    search = _Search(exclude, os.path.realpath(project) if project else os.path.realpath("."))
    for path in paths:
        search.root(path)
    return Found(tuple(sorted(search.files.values())), tuple(sorted(search.troubles, key=lambda each: each.path)))


@dataclass
class _Search:
    exclude: Globs
    project: str
    files: dict[str, str] = field(default_factory=dict)  # real path -> shown path
    troubles: list[Trouble] = field(default_factory=list)

    def root(self, path: str) -> None:
        shown = os.path.normpath(path)
        try:
            mode, real = os.stat(path).st_mode, os.path.realpath(path)
        except (OSError, ValueError) as error:  # ValueError: a null character
            self._trouble(shown, error, Loss.UNKNOWN)
            return
        if stat.S_ISDIR(mode):
            self._folder(shown, real)
        else:
            self._file(shown, real, mode)

    def _folder(self, shown: str, real: str) -> None:
        """Walks with a stack of its own: a tree may be deeper than Python's."""
        exclude = self.exclude.apart_from(self._relative(real))
        waiting, links = [(shown, real)], list[tuple[str, str]]()
        while waiting:
            folder, real_folder = waiting.pop()
            for entry in self._entries(folder):
                inner, real_inner = _join(folder, entry.name), os.path.join(real_folder, entry.name)
                if _left_out(entry) or (exclude.patterns and exclude.match(self._relative(real_inner))):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((inner, real_inner))
                elif entry.name.endswith(EXTENSIONS):
                    self._entry(entry, inner, real_inner, links)
                elif entry.is_symlink():
                    self._linked_folder(entry, inner, real_folder)
        for inner, real_inner in links:  # last, so that a file keeps its own name where a link names it as well
            self.files.setdefault(os.path.realpath(real_inner), _shown(inner))

    def _entries(self, folder: str) -> Iterator[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as entries:
                yield from entries
        except OSError as error:
            self._trouble(folder, error, Loss.UNKNOWN)

    def _entry(self, entry: os.DirEntry[str], shown: str, real: str, links: list[tuple[str, str]]) -> None:
        try:
            if entry.is_file(follow_symlinks=False):
                self.files.setdefault(real, _shown(shown))
            elif stat.S_ISREG(mode := entry.stat().st_mode):
                links.append((shown, real))
            elif not stat.S_ISDIR(mode):
                self._file(shown, real, mode)
        except OSError as error:
            self._trouble(shown, error, Loss.FILE)

    def _linked_folder(self, entry: os.DirEntry[str], shown: str, real_folder: str) -> None:
        """Links to folders are not followed; one that leads back up is said, since it is surely a mistake."""
        try:
            target = os.path.realpath(entry.path, strict=True)
        except OSError:
            return  # not a Python file, and nothing to see behind it
        if os.path.isdir(target) and (real_folder + os.sep).startswith(target.rstrip(os.sep) + os.sep):
            self.troubles.append(Trouble(_shown(shown), "a link to a folder above it, not followed", Loss.NOTHING))

    def _file(self, shown: str, real: str, mode: int) -> None:
        if stat.S_ISREG(mode):
            self.files.setdefault(real, _shown(shown))
        else:
            self.troubles.append(Trouble(_shown(shown), f"cannot be read: it is {_kind(mode)}", Loss.FILE))

    def _trouble(self, shown: str, error: Exception, loss: Loss) -> None:
        self.troubles.append(Trouble(_shown(shown), _reason(error), loss))

    def _relative(self, real: str) -> str:
        return os.path.relpath(real, self.project).replace(os.sep, "/")


def _left_out(entry: os.DirEntry[str]) -> bool:
    if entry.name in ALWAYS_EXCLUDED:
        return True
    return entry.name in ARTEFACTS and not os.path.exists(os.path.join(entry.path, "__init__.py"))


def _join(folder: str, name: str) -> str:
    return name if folder == os.curdir else os.path.join(folder, name)


def _shown(path: str) -> str:
    return path.replace(os.sep, "/")


def _kind(mode: int) -> str:
    if stat.S_ISFIFO(mode):
        return "a named pipe"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"


def _reason(error: Exception) -> str:
    return f"cannot be read: {getattr(error, 'strerror', None) or error}"
