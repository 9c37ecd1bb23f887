"""Fixed text on its way out: into the file, whole or not at all, or into a diff."""

from __future__ import annotations

import difflib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from conclint.text import Unreadable, decode

MISSING_NEWLINE = "\\ No newline at end of file\n"


@dataclass(frozen=True)
class Change:
    """A file before and after; `codes` are those of the findings that were mended, in order."""

    path: str  # as the user named it
    file: str  # where it lies
    before: bytes
    after: bytes
    codes: tuple[str, ...]


def write(change: Change) -> str | None:
    """Put the new text in the place of the old; answers why not, if that could not be done.

    A link stays a link: what it points at is replaced.
    """
    target = os.path.realpath(change.file)
    try:
        with open(target, "rb") as file:
            if file.read() != change.before:
                return "changed since it was checked; not overwritten"
        if not os.access(target, os.W_OK):
            return "not fixed: no permission to write it"
        _replace(target, change.after)
    except OSError as error:
        return f"not fixed: {error.strerror or error}"
    return None


def _replace(target: str, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".conclint-", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        shutil.copymode(target, name)
        _keep_owner(target, name)
        os.replace(name, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def _keep_owner(target: str, name: str) -> None:
    """Root may fix a user's file; to others the file belongs already, or cannot be given."""
    if hasattr(os, "chown"):
        old = os.stat(target)
        if (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
            with suppress(OSError):
                os.chown(name, old.st_uid, old.st_gid)


def diff(change: Change) -> str:
    """The change as a unified diff that `patch -p0` and `git apply -p0` take."""
    return "".join(_diff(change))


def _diff(change: Change) -> Iterator[str]:
    before, after = _lines(change.before), _lines(change.after)
    for line in difflib.unified_diff(before, after, change.path, change.path):
        yield line
        if not line.endswith("\n"):
            yield "\n" + MISSING_NEWLINE


def _lines(data: bytes) -> list[str]:
    """Lines as diff programs know them: `\\n` ends them and nothing else does."""
    try:
        text = decode(data).text
    except Unreadable:
        text = data.decode("utf-8", "replace")
    lines = [line + "\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]
