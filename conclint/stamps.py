"""Whether a project is as it was when its findings were last computed, told from the file system alone.

flake8 starts a process per run and calls its plugins file by file; to read and hash a project each time would cost more
than flake8 itself.  So beside the cache, which knows contents, lies one small file per project: what `os.stat` said of
everything that the findings depend on, and the findings.  A time is only believed once it is older than any clock's
tick, and the change time, which no program can set, is compared too.

Nothing heavy is imported here: this is all that most files cost in an editor.
"""

from __future__ import annotations

import json
import os
import stat
import time
import zlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple

import conclint

Alarm = tuple[int, int, str]  # line, column (from 1), text
State = tuple[int, ...] | None  # of a path; None where there is nothing

PYTHON = (".py", ".pyw")
CLOSED = frozenset({"__pycache__", "node_modules", "site-packages", "venv"})
SETTLED = 2 * 10**9  # nanoseconds after which a file that changes again gets another time, whatever the file system
SETTINGS = ("pyproject.toml", "conclint.toml")


class Stamp(NamedTuple):
    """What a project looked like, and the alarms of each of its files (paths relative to `root`)."""

    root: str
    watched: Mapping[str, State]
    alarms: Mapping[str, Sequence[Alarm]]


def watch(root: str) -> dict[str, State]:
    """The state of all that the findings of a project depend on; to be asked before its files are read."""
    own = os.path.dirname(os.path.abspath(conclint.__file__))
    folders = dict(_walk(root))
    paths = {path for top in (own, root) for folder, names in _walk(top) for path in (folder, *names)}
    paths |= {os.path.join(folder, name) for folder in (*folders, *_above(root)) for name in SETTINGS}
    return {path: _state(path) for path in sorted(paths)}


def moment() -> int:
    """Changes each second: how long an answer about the file system is believed within one process."""
    return int(time.monotonic())


def recall(folder: str, root: str) -> Stamp | None:
    """The project's stamp, if all that it depends on is as it was a moment ago."""
    return _recall(folder, root, moment())


@lru_cache
def _recall(folder: str, root: str, at: int) -> Stamp | None:
    try:
        with open(_file(folder, root), encoding="utf-8") as source:
            version, known_root, watched, alarms = json.load(source)
    except (OSError, ValueError, TypeError):
        return None
    if version != conclint.__version__ or known_root != root:
        return None
    try:
        watched = {path: None if state is None else tuple(state) for path, state in watched.items()}
        if any(_state(path) != state for path, state in watched.items()):
            return None
        found = {path: [(int(a), int(b), str(c)) for a, b, c in each] for path, each in alarms.items()}
    except (AttributeError, TypeError, ValueError):
        return None
    return Stamp(root, watched, found)


def remember(folder: str, stamp: Stamp, *, now: int | None = None) -> None:
    """Keep the stamp, unless something changed a moment ago and could change once more unseen."""
    latest = max((max(state[1:3], default=0) for state in stamp.watched.values() if state), default=0)
    if latest > (time.time_ns() if now is None else now) - SETTLED:
        return
    file = _file(folder, stamp.root)
    half = f"{file}.{os.getpid()}"
    # A cache that cannot be written costs time, never the run.
    with suppress(OSError):
        os.makedirs(os.path.dirname(file), mode=0o700, exist_ok=True)
        with open(half, "w", encoding="utf-8") as out:
            json.dump((conclint.__version__, stamp.root, stamp.watched, stamp.alarms), out, separators=(",", ":"))
        os.replace(half, file)


def _file(folder: str, root: str) -> str:
    name = root.encode("utf-8", "surrogatepass")
    return os.path.join(folder, "projects", f"{zlib.crc32(name):08x}{zlib.adler32(name):08x}.json")


def _state(path: str) -> State:
    try:
        seen = os.stat(path)
        if stat.S_ISDIR(seen.st_mode):
            return (_names(path),)
    except (OSError, ValueError):
        return None
    return (seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino)


def _names(folder: str) -> int:
    """Stands for the Python files and folders in `folder`; its times change with every swap file of an editor."""
    with os.scandir(folder) as entries:
        names = [each.name for each in entries if each.name.endswith(PYTHON) or (_open(each.name) and each.is_dir())]
    return zlib.crc32("/".join(sorted(names)).encode("utf-8", "surrogatepass"))


def _open(folder: str) -> bool:
    """Whether a folder of that name may be part of a project, as `discovery` has it."""
    return folder[0] != "." and folder not in CLOSED


def _walk(root: str) -> Iterable[tuple[str, list[str]]]:
    """The folders below `root` that may be part of it, and their Python files."""
    for folder, inner, names in os.walk(root):
        inner[:] = [name for name in inner if _open(name)]
        yield folder, [os.path.join(folder, name) for name in names if name.endswith(PYTHON)]


def _above(folder: str) -> Iterable[str]:
    """The folders over `folder`, itself included."""
    while True:
        yield folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return
        folder = parent
