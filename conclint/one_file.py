"""What `conclint check` says of one file, whose text may be newer than the disk's: flake8's question, and an editor's.

A project is checked whole, once per process and state of its files; the answer is kept in its stamp.
"""

from __future__ import annotations

import io
import os
import tokenize
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from conclint.cache import Cache, default_folder
from conclint.codes import Codes
from conclint.config import load
from conclint.engine import Unit, check
from conclint.globs import Globs
from conclint.knowledge import BUILTIN
from conclint.model import Result
from conclint.project import belongs, project_units, shown
from conclint.settings import Config
from conclint.stamps import Alarm, Stamp, State, moment, remember, watch
from conclint.text import NEWLINE, Unreadable, decode
from conclint.toml import ConfigError

INTERNAL = "CON000"  # conclint could not do its work; never a finding


def alarms(path: str, text: str) -> Sequence[Alarm]:
    """The alarms of the file at the absolute `path`, were `text` its content."""
    try:
        config = load(Path(path), Codes(), BUILTIN)
    except ConfigError as error:
        return [(1, 1, f"{INTERNAL} {error}")]
    disk = _disk(path)
    data = disk if disk is not None and _reads_as(disk, text) else _encoded(text)
    if config.project is None or not belongs(path, config.project):
        return _by_path(_checked([Unit(shown(path), path, data)], config)).get(path, ())
    if Globs(config.exclude).match(os.path.relpath(path, config.project).replace(os.sep, "/")):
        return ()
    newer = None if data is disk else (path, data)
    return _project(str(config.project), newer, moment()).get(path, ())


@lru_cache(maxsize=2)
def _project(root: str, newer: tuple[str, bytes] | None, at: int) -> Mapping[str, Sequence[Alarm]]:
    """The alarms of all files of the project, as it was at that moment."""
    return _project_as(root, newer, tuple((path, state) for path, state in watch(root).items()))


@lru_cache(maxsize=2)
def _project_as(
    root: str, newer: tuple[str, bytes] | None, watched: tuple[tuple[str, State], ...]
) -> Mapping[str, Sequence[Alarm]]:
    """The same, asked again for each file of one run of flake8."""
    config = load(Path(root), Codes(), BUILTIN)
    edited = None if newer is None else Unit(shown(newer[0]), *newer)
    units = project_units(config, Path(root), edited)
    result = _checked(units, config)
    answer = _by_path(result)
    folder = default_folder()
    if newer is None and folder is not None and not result.failures:
        paths = (os.path.abspath(unit.path) for unit in units)
        known = {os.path.relpath(path, root): answer.get(path, ()) for path in paths}
        remember(str(folder), Stamp(root, dict(watched), known))
    return answer


def _checked(units: Sequence[Unit], config: Config) -> Result:
    """In this process, which may be one of flake8's workers; flake8 itself heeds `# noqa`."""
    folder = default_folder()
    return check(units, config, jobs=1, cache=Cache(folder) if folder else None, noqa=False)


def _by_path(result: Result) -> dict[str, list[Alarm]]:
    answer: dict[str, list[Alarm]] = {}
    for failure in result.failures:
        where = ": ".join(filter(None, (failure.rule, failure.error)))
        answer.setdefault(os.path.abspath(failure.path), []).append((1, 1, f"{INTERNAL} internal error: {where}"))
    for one in result.diagnostics:
        alarm = (one.span.line, one.span.column, f"{one.code} {one.finding.message}")
        answer.setdefault(os.path.abspath(one.path), []).append(alarm)
    return answer


def _disk(path: str) -> bytes | None:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError):
        return None


def _reads_as(data: bytes, text: str) -> bool:
    """Whether flake8 could have read `text` from these bytes; it turns every newline into `\\n`."""
    try:
        read = decode(data).text
    except Unreadable:
        read = data.decode("latin-1")  # flake8's last resort
    return NEWLINE.sub("\n", read) == NEWLINE.sub("\n", text)


def _encoded(text: str) -> bytes:
    """The bytes that would be saved, in the encoding that the text itself declares."""
    plain = text.encode("utf-8", "replace")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(plain).readline)
        return text.encode(encoding)
    except (SyntaxError, UnicodeError):
        return plain
