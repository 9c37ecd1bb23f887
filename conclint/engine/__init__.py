"""From files to a result: two maps (index, inspect) and two folds (link, conclude).

    bytes -> index -> link -> scenes -> inspect -> conclude -> select -> noqa -> sort

This is the only room that knows of processes.  A tree that is as it was in an earlier run is answered before any of
that is even imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from conclint.cache import Entries
from conclint.engine.ledger import Ledger, told_of
from conclint.engine.memory import uncollected
from conclint.engine.selection import Selection
from conclint.engine.units import Survey, Unit, glance, survey
from conclint.model import Diagnostic, Result
from conclint.noqa import Suppressions
from conclint.serial import Codec
from conclint.settings import Config

__all__ = ["Progress", "Unit", "check"]

# Called with what is being done, how many files of it are done, and how many there are.
Progress = Callable[[str, int, int], None]

UNREADABLE = "CON001"


def check(
    units: Sequence[Unit],
    config: Config,
    *,
    jobs: int = 1,
    cache: Entries | None = None,
    progress: Progress | None = None,
    fixes: bool = False,
    noqa: bool = True,
    unreadable: Sequence[tuple[str, str]] = (),
) -> Result:
    """What conclint says of these files, taken as one program.

    Of units that are `context` nothing is said.  `unreadable` names files that are known to be lost, and why.  `fixes`
    asks for the fixes that are costly to build.  Without `noqa` the comments in the files hide nothing.
    """
    units = tuple({unit.path: unit for unit in reversed(units)}.values())[::-1]
    seen = survey(units) if cache else glance(units)
    seen.lost.update(unreadable)
    ledger = Ledger(cache)
    context = [unit.path for unit in units if unit.context]
    conclusion = _name(ledger, seen, config, str((fixes, noqa, context)).encode())
    known = ledger.recall(conclusion, Result)
    if known is not None:
        return known
    with uncollected():
        result = _analyse(units, seen, config, jobs, ledger, progress, fixes, noqa)
    if cache:
        if not result.failures:
            ledger.keep(conclusion, Codec(Result).dumps(result))
        cache.write(ledger.fresh)
    return result


def _name(ledger: Ledger, seen: Survey, config: Config, asked: bytes) -> bytes:
    settings = (
        config.select,
        config.ignore,
        config.extend_select,
        config.per_file_ignores,
        config.src,
        config.target_version,
        config.free_threaded,
        str(config.project),
    )
    files = (part for path, digest in seen.digests.items() for part in (path, digest))
    lost = (part for item in seen.lost.items() for part in item)
    return ledger.name("conclusion", asked, repr(settings), told_of(config.knowledge), *files, "lost", *lost)


def _analyse(
    units: Sequence[Unit],
    seen: Survey,
    config: Config,
    jobs: int,
    ledger: Ledger,
    progress: Progress | None,
    fixes: bool,
    noqa: bool,
) -> Result:
    # Only now: an unchanged tree does without executors and everything else behind these names.
    from conclint.engine.analysis import Analysis
    from conclint.engine.crew import Crew

    with Crew(jobs) as crew:
        analysis = Analysis(units, seen, config, crew, ledger, progress or _silent, fixes)
        found = analysis.run()
    failures = tuple(dict.fromkeys(analysis.failures))
    shown = _shown(found, {unit.path: unit for unit in units}, Selection(config), noqa)
    read = sum(unit.path not in seen.lost for unit in units)
    return Result(tuple(sorted(shown, key=lambda one: one.sort_key)), failures, read)


def _shown(
    found: Iterable[Diagnostic], units: dict[str, Unit], selection: Selection, noqa: bool
) -> Iterable[Diagnostic]:
    """The findings that the configuration and the files' own comments leave."""
    by_path: dict[str, list[Diagnostic]] = {}
    for one in found:
        by_path.setdefault(one.path, []).append(one)
    for path, some in by_path.items():
        if path in units and units[path].context:
            continue
        comments = _comments(units[path]) if noqa and path in units else None
        for one in some:
            # A broken file has no lines to rely on.
            hidden = comments is not None and one.code != UNREADABLE and comments.hides(one.code, one.span.line)
            unasked = one.finding.when_asked and not selection.asks_for(one.code)
            if not hidden and not unasked and selection.reports(one.code, path):
                yield one


def _comments(unit: Unit) -> Suppressions | None:
    try:
        return Suppressions(unit.read())
    except (OSError, ValueError):
        return None


def _silent(phase: str, done: int, total: int) -> None:
    """Nobody watches."""
