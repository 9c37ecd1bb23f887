"""Decimal contexts that the main thread sets for itself, while other threads compute."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from conclint.index.facts import Touch
from conclint.knowledge.kinds import Context
from conclint.model import Note
from conclint.program.calls import Site
from conclint.program.contexts import Run, site_place
from conclint.program.contexts import evidence as trace
from conclint.program.linking import Program
from conclint.program.testfiles import among_tests, only_tests

CURRENT = "decimal.getcontext"
FIELDS = ("prec", "rounding", "traps")
SETTERS = frozenset({CURRENT, "decimal.setcontext", "decimal.localcontext"})
COMPUTED = "decimal.Decimal"
INHERITED = (3, 14)


class Unset(NamedTuple):
    """The context is set at `site`, and a thread computes at `used` without it."""

    site: Site
    run: Run
    used: Site

    @property
    def notes(self) -> tuple[Note, ...]:
        return (*trace(self.run), Note(site_place(self.used), "and computes here"))


class Precision:
    """Answers for one program."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._calls = program.calls

    def unset(self) -> Iterator[Unset]:
        """Settings of the main thread that a thread which computes does not have."""
        options = self._program.options
        inherited = options.free_threaded and options.target >= INHERITED
        if inherited or not self._calls.files.importing("decimal"):
            return
        settings = list(self._settings())
        workers = list(self._computing()) if settings else []
        for site in settings:
            for run, used in workers:
                if not only_tests(site.file.path, run.root.site.file.path):
                    yield Unset(site, run, used)
                    break

    def _settings(self) -> Iterator[Site]:
        for site in self._calls.calls_named("getcontext"):
            if CURRENT in self._calls.library_names(site) and self._sets(site) and self._in_main(site):
                yield site
        for site in self._calls.calls_named("setcontext"):
            if "decimal.setcontext" in self._calls.library_names(site) and self._in_main(site):
                yield site

    def _in_main(self, site: Site) -> bool:
        runs = self._program.contexts.runs(site.caller)
        return not among_tests(site.file.path) and not any(run.context is Context.THREAD for run in runs)

    @staticmethod
    def _sets(site: Site) -> bool:
        """`getcontext().prec = 50`, or through a variable."""
        heads = (f"{site.call.func}()", *(goal for goal in site.call.goes if goal[:1] != "$"))
        wanted = {f"{head}.{field}" for head in heads for field in FIELDS}
        return any(path in wanted and bits & (Touch.WRITE | Touch.ITEM) for path, bits, _ in site.function.touches)

    def _computing(self) -> Iterator[tuple[Run, Site]]:
        """Where threads make numbers to compute with, if nothing in them sets a context."""
        numbers: dict[int, tuple[Run, Site]] = {}
        setting: set[int] = set()
        contexts = self._program.contexts
        for identity in sorted(contexts.functions()):
            file, function = self._calls.function(identity)
            for run in contexts.runs(identity) if "decimal" in file.roots else ():
                if run.context is Context.THREAD:
                    names = {call: self._names(Site(file, function, call)) for call in function.calls}
                    if any(found & SETTERS for found in names.values()):
                        setting.add(run.root.number)
                    made = next((call for call, found in names.items() if COMPUTED in found), None)
                    if made is not None:
                        numbers.setdefault(run.root.number, (run, Site(file, function, made)))
        yield from (found for number, found in numbers.items() if number not in setting)

    def _names(self, site: Site) -> frozenset[str]:
        last = site.call.func.rpartition(".")[2]
        return self._calls.library_names(site) if last in LAST else NO_NAMES


LAST = frozenset(name.rpartition(".")[2] for name in (*SETTERS, COMPUTED))
NO_NAMES: frozenset[str] = frozenset()
