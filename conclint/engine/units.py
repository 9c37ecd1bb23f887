"""The files of a run: where their bytes come from, and whether they are still the same."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Unit:
    """One file to check: `path` as the user named it, `/` between folders; `file` where it lies, if that differs.

    With `data` it is checked as if it read so: standard input, or a file with fixes that are not written yet.  As
    `context` it is read so that others can be understood, and nothing is said of it itself.
    """

    path: str
    file: str = ""
    data: bytes | None = None
    context: bool = False

    def read(self) -> bytes:
        """The bytes; OSError if the file cannot be read."""
        if self.data is not None:
            return self.data
        with open(self.file or self.path, "rb") as file:
            return file.read()

    def size(self) -> int:
        """About how many bytes it has."""
        if self.data is not None:
            return len(self.data)
        try:
            return os.stat(self.file or self.path).st_size
        except (OSError, ValueError):
            return 0


@dataclass(frozen=True)
class Survey:
    """What all files read before anything else: their sizes, digests, and why some could not be read."""

    sizes: dict[str, int]
    digests: dict[str, bytes]
    lost: dict[str, str]


def digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def survey(units: Iterable[Unit]) -> Survey:
    """Reads every file and keeps only its digest: the parent's memory does not grow with the tree."""
    seen = Survey({}, {}, {})
    for unit in units:
        try:
            data = unit.read()
        except (OSError, ValueError) as error:
            seen.lost[unit.path] = reason(error)
        else:
            seen.sizes[unit.path] = len(data)
            seen.digests[unit.path] = digest(data)
    return seen


def glance(units: Iterable[Unit]) -> Survey:
    """The sizes only, where no cache asks for digests; the workers then are the first to read."""
    return Survey({unit.path: unit.size() for unit in units}, {}, {})


def roots(src: Iterable[str], project: Path | None) -> tuple[str, ...]:
    """The folders from which a project's imports start, named as its files are: from the working folder."""
    return tuple(_shown(os.path.join(project or "", folder)) for folder in src)


def _shown(path: str) -> str:
    try:
        return Path(os.path.relpath(path)).as_posix()
    except ValueError:  # another drive
        return Path(path).as_posix()


def reason(error: OSError | ValueError) -> str:
    """Why a file cannot be read, in words."""
    return f"cannot be read: {getattr(error, 'strerror', None) or error}"
