"""One `conclint check`, from a request to an exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from conclint.cache import Cache, default_folder
from conclint.codes import Codes
from conclint.config import check_codes, load
from conclint.discovery import Found, Loss, Trouble, discover
from conclint.engine import Unit, check
from conclint.globs import Globs
from conclint.knowledge import BUILTIN
from conclint.model import Failure, Result
from conclint.output import complain, say, say_bytes
from conclint.progress import Progress
from conclint.project import around
from conclint.report import READ_BY_PEOPLE, SHOW_FIXES, Material, counted, render
from conclint.report.statistics import statistics
from conclint.request import Mending, Request
from conclint.settings import Config
from conclint.sources import Sources
from conclint.toml import ConfigError

if TYPE_CHECKING:
    from conclint.fixer import Fixed
    from conclint.writer import Change

NOTHING, FINDINGS, NOT_DONE = 0, 1, 2
STDIN = "stdin"  # what standard input is called when nobody names it


def run(request: Request) -> int:
    try:
        config = _config(request)
    except ConfigError as error:
        complain([str(error)])
        return NOT_DONE
    found = _found(request, config)
    complain(f"{trouble.path}: {trouble.message}" for trouble in found.troubles if trouble.loss is not Loss.FILE)
    if not found.files and not found.troubles:
        complain(["no Python files found"])
    lost = any(trouble.loss is Loss.UNKNOWN for trouble in found.troubles)
    status = _Run(request, config, found).status()
    if status == FINDINGS and request.exit_zero:
        status = NOTHING
    return NOT_DONE if lost else status


def _config(request: Request) -> Config:
    codes, choice = Codes(), request.choice
    for option, given in [
        ("--select", choice.select),
        ("--ignore", choice.ignore),
        ("--extend-select", choice.extend_select),
    ]:
        problem = check_codes(given or (), codes)
        if problem:
            raise ConfigError(f"{option}: {problem}")
    if request.isolated:
        return choice.over(Config(knowledge=BUILTIN))
    start = request.stdin_filename or "." if request.from_stdin else request.paths[0]
    return choice.over(load(Path(start), codes, BUILTIN, file=request.config))


def _found(request: Request, config: Config) -> Found:
    if request.from_stdin:
        return Found((request.stdin_filename or STDIN,), ())
    return discover(request.paths, Globs(config.exclude), config.project)


class _Run:
    """Check or fix the files that were found, and tell."""

    def __init__(self, request: Request, config: Config, found: Found) -> None:
        self._request, self._config = request, config
        self._units = _units(request, config, found)
        self._unreadable = _unreadable(found.troubles)
        folder = request.cache_folder or default_folder()
        self._cache = Cache(folder) if request.cache and folder else None
        self._jobs = request.jobs or _cores()

    def status(self) -> int:
        if self._request.mending is Mending.NONE:
            return self._check()
        return self._mend()

    def _check(self) -> int:
        with Progress() as progress:
            result = check(
                self._units,
                self._config,
                jobs=self._jobs,
                cache=self._cache,
                progress=progress,
                fixes=self._request.output in SHOW_FIXES,
                unreadable=self._unreadable,
            )
        return self._tell(result, Sources(self._units))

    def _mend(self) -> int:
        from conclint import fixer, writer

        with Progress() as progress:
            fixed = fixer.fix(
                self._units,
                self._config,
                allowed=self._request.mending.allowed,
                jobs=self._jobs,
                cache=self._cache,
                progress=progress,
                unreadable=self._unreadable,
            )
        if self._request.mending.shows:
            say(line for change in fixed.changes for line in writer.diff(change).splitlines())
            _tell_failures(fixed.result.failures)
            return NOT_DONE if fixed.result.failures else FINDINGS if fixed.changes else NOTHING
        return self._keep(fixed)

    def _keep(self, fixed: Fixed) -> int:
        failures: list[Failure] = []
        if self._request.from_stdin:
            (unit,) = (unit for unit in self._units if not unit.context)
            say_bytes(fixed.changes[0].after if fixed.changes else unit.read())
        else:
            failures = _write(fixed.changes)
        result = replace(fixed.result, failures=(*fixed.result.failures, *failures))
        return self._tell(result, Sources(self._units, {each.path: each.after for each in fixed.changes}))

    def _tell(self, result: Result, sources: Sources) -> int:
        request = self._request
        stream = sys.stderr if request.from_stdin and request.mending is not Mending.NONE else sys.stdout
        material = Material(result, sources.lines, request.colour)
        say(render(request.output, material), stream)
        if request.statistics:
            say(statistics(result), stream if request.output in READ_BY_PEOPLE else sys.stderr)
        _tell_failures(result.failures)
        return NOT_DONE if result.failures else FINDINGS if result.diagnostics else NOTHING


def _units(request: Request, config: Config, found: Found) -> tuple[Unit, ...]:
    if request.from_stdin:
        read = Unit(found.files[0], data=sys.stdin.buffer.read())
        return tuple(around(config, read)) if request.stdin_filename else (read,)
    return tuple(Unit(path) for path in found.files)


def _unreadable(troubles: Iterable[Trouble]) -> tuple[tuple[str, str], ...]:
    return tuple((trouble.path, trouble.message) for trouble in troubles if trouble.loss is Loss.FILE)


def _tell_failures(failures: Sequence[Failure]) -> None:
    complain(": ".join(filter(None, (failure.path, failure.rule, failure.error))) for failure in failures)


def _write(changes: Sequence[Change]) -> list[Failure]:
    """Writes what can be written, says how much that was, and answers what could not be."""
    from conclint import writer

    problems = [(change, writer.write(change)) for change in changes]
    mended = [len(change.codes) for change, problem in problems if problem is None]
    if mended:
        complain([f"mended {counted(sum(mended), 'finding')} in {counted(len(mended), 'file')}"])
    return [Failure(change.path, "", problem) for change, problem in problems if problem is not None]


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1
