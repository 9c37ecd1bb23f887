"""Where a project writes its settings down, and what they mean: `[tool.conclint]` or `conclint.toml` → Config."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import Path

from conclint.knowledge.kinds import Context, Knowledge, LockKind, Setting, Spawner, Target, Unshared
from conclint.settings import OLDEST_TARGET, Config
from conclint.toml import ConfigError, Table, near, read_toml, shown_path

KEYS = (
    "select",
    "ignore",
    "extend-select",
    "per-file-ignores",
    "exclude",
    "src",
    "target-version",
    "free-threaded",
    "knowledge",
)
KNOWLEDGE_KEYS = (
    "spawners",
    "locks",
    "thread-safe",
    "thread-unsafe",
    "process-wide",
    "io",
    "blocking",
    "releases-gil",
    "holds-gil",
)
SPAWNER_KEYS = ("context", "target", "target-position", "keyword", "methods", "many")
LOCK_KEYS = ("among", "reentrant", "condition", "counting")
_VERSION = re.compile(r"(?:py)?3\.?(\d{1,2})")
_LOWER_BOUND = re.compile(r"(?:>=|~=|===?|>)\s*3(?:\.(\d+))?")
_FREE_THREADING = "Programming Language :: Python :: Free Threading ::"


def load(start: Path, codes: Collection[str], builtin: Knowledge, *, file: Path | None = None) -> Config:
    """The settings for the file or folder `start`: those of `file`, else of the nearest configuration above.

    `codes` are the codes that there are; settings that name another are refused.  Raises ConfigError.
    """
    if file is not None:
        return _read(_table_of(file, required=True), file.parent, codes, builtin)
    nearest: Path | None = None
    for folder in _upward(start):
        found = _configuration_in(folder)
        if found is not None:
            return _read(found, folder, codes, builtin)
        if nearest is None and (folder / "pyproject.toml").is_file():
            nearest = folder
    if nearest is None:
        return Config(knowledge=builtin)
    return _read(Table("", "", {}), nearest, codes, builtin)


def check_codes(given: Iterable[str], known: Collection[str]) -> str | None:
    """What is wrong with codes that a user wrote, in words; None when each begins some rule's code."""
    for code in given:
        if not code or not any(name.startswith(code) for name in known):
            return f"unknown code {code!r}{near(code.upper(), known) or '; `conclint rule --list` shows all'}"
    return None


def _upward(start: Path) -> Iterable[Path]:
    folder = start.absolute()
    return (folder, *folder.parents) if folder.is_dir() else folder.parents


def _configuration_in(folder: Path) -> Table | None:
    own, shared = folder / "conclint.toml", folder / "pyproject.toml"
    table = _table_of(shared, required=False) if shared.is_file() else None
    if not own.is_file():
        return table
    if table is not None:
        raise ConfigError(f"{shown_path(own)} and {table.file}: [tool.conclint] too; keep one of the two")
    return _table_of(own, required=True)


def _table_of(file: Path, *, required: bool) -> Table | None:
    whole = read_toml(file)
    if file.name != "pyproject.toml":
        return whole
    tool = whole.table("tool")
    table = tool.table("conclint") if tool else None
    if table is None and required:
        raise ConfigError(f"{whole.file}: expected a table [tool.conclint]")
    return table


def _read(table: Table | None, folder: Path, codes: Collection[str], builtin: Knowledge) -> Config:
    assert table is not None
    table.only(KEYS)
    version, threading = _declared(folder / "pyproject.toml")
    free_threaded = table.flag("free-threaded")
    return Config(
        select=_codes(table, "select", codes),
        ignore=_codes(table, "ignore", codes),
        extend_select=_codes(table, "extend-select", codes),
        per_file_ignores=_per_file_ignores(table, codes),
        exclude=table.strings("exclude"),
        src=table.strings("src"),
        target_version=_target_version(table) or version or OLDEST_TARGET,
        free_threaded=threading if free_threaded is None else free_threaded,
        knowledge=_knowledge(table, builtin),
        project=folder.absolute(),
    )


def _codes(table: Table, key: str, known: Collection[str]) -> tuple[str, ...]:
    given = table.strings(key)
    problem = check_codes(given, known)
    if problem:
        raise table.error(key, problem)
    return given


def _per_file_ignores(table: Table, codes: Collection[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    ignores = table.table("per-file-ignores")
    if ignores is None:
        return ()
    return tuple((pattern, _codes(ignores, pattern, codes)) for pattern in ignores.values)


def _target_version(table: Table) -> tuple[int, int] | None:
    text = table.text("target-version")
    if text is None:
        return None
    match = _VERSION.fullmatch(text)
    if match is None:
        raise table.error("target-version", f'expected a version like "3.10" or "py310", found {text!r}')
    return (3, int(match.group(1)))


def _declared(pyproject: Path) -> tuple[tuple[int, int] | None, bool]:
    """What `[project]` says of itself: the oldest Python it runs on, and whether it is made for free threading.

    Another tool's table: what is odd in it is not ours to complain about.
    """
    project = read_toml(pyproject).values.get("project") if pyproject.is_file() else None
    if not isinstance(project, dict):
        return None, False
    bounds = [int(minor or 0) for minor in _LOWER_BOUND.findall(str(project.get("requires-python", "")))]
    classifiers = project.get("classifiers")
    listed = classifiers if isinstance(classifiers, list) else []
    return (3, max(bounds)) if bounds else None, any(str(line).startswith(_FREE_THREADING) for line in listed)


def _knowledge(table: Table, builtin: Knowledge) -> Knowledge:
    added = table.table("knowledge")
    if added is None:
        return builtin
    added.only(KNOWLEDGE_KEYS)
    more = Knowledge(
        spawners={name: _spawner(entry) for name, entry in added.tables("spawners")},
        locks={name: _lock(entry) for name, entry in added.tables("locks")},
        thread_safe=frozenset(added.strings("thread-safe")),
        io=frozenset(added.strings("io")),
        blocking=frozenset(added.strings("blocking")),
        releases_gil=frozenset(added.strings("releases-gil")),
        holds_gil=frozenset(added.strings("holds-gil")),
        process_wide=dict.fromkeys(added.strings("process-wide"), Setting.OTHER),
        thread_unsafe=dict.fromkeys(added.strings("thread-unsafe"), Unshared.CLIENT),
    )
    return builtin.extended(more)


def _spawner(entry: Table) -> Spawner:
    entry.only(SPAWNER_KEYS)
    position, keyword = entry.count("target-position"), entry.text("keyword")
    return Spawner(
        context=_context(entry, "context"),
        target=Target(entry.text("target", among=[kind.value for kind in Target]) or Target.ARGUMENT.value),
        position=0 if position is None and keyword is None else position,
        keyword=keyword,
        methods=entry.strings("methods"),
        many=entry.flag("many") or False,
    )


def _lock(entry: Table) -> LockKind:
    entry.only(LOCK_KEYS)
    return LockKind(
        among=_context(entry, "among") if "among" in entry.values else Context.THREAD,
        reentrant=entry.flag("reentrant") or False,
        condition=entry.flag("condition") or False,
        counting=entry.flag("counting") or False,
    )


def _context(entry: Table, key: str) -> Context:
    kinds = [kind.value for kind in Context]
    text = entry.text(key, among=kinds)
    if text is None:
        raise entry.error(key, f"missing; expected one of {', '.join(map(repr, kinds))}")
    return Context(text)
