"""What forked processes have from their parent: its log files, its NumPy random state."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from conclint.knowledge.kinds import Context
from conclint.knowledge.names import below
from conclint.model import Note
from conclint.program.calls import Site
from conclint.program.contexts import Run, site_place
from conclint.program.contexts import evidence as trace
from conclint.program.linking import Program
from conclint.program.testfiles import among_tests, only_tests

# docs.python.org/3/library/multiprocessing.html#contexts-and-start-methods: fork was the default on Linux before 3.14
FORKING = ("multiprocessing.Process", "multiprocessing.pool.Pool", "concurrent.futures.ProcessPoolExecutor")
FORKED_BEFORE = (3, 14)
CHOOSING = ("set_start_method", "get_context")

# docs.python.org/3/howto/logging-cookbook.html#logging-to-a-single-file-from-multiple-processes: "not supported"
HANDLERS = frozenset(
    {"logging.FileHandler", *below("logging.handlers", "RotatingFileHandler TimedRotatingFileHandler")}
)
_LEVELS = "debug info warning error critical exception log"
LOGGING = frozenset({*below("logging", _LEVELS), *below("logging.Logger", _LEVELS)})
QUEUED = ("QueueHandler", "QueueListener", "SocketHandler")
CONFIGURING = frozenset({*HANDLERS, "logging.basicConfig", *below("logging.Logger", "addHandler removeHandler")})

# numpy.org/doc/stable/reference/random/legacy.html: functions of the one global RandomState
DRAWS = frozenset(
    below(
        "numpy.random",
        "rand randn randint random random_sample ranf sample random_integers choice shuffle permutation normal uniform "
        "standard_normal poisson binomial beta gamma exponential multivariate_normal",
    )
)
SEEDS = frozenset(below("numpy.random", "seed set_state default_rng RandomState"))

# Callers of callers are followed so far.
DEEPEST = 3


class Inherited(NamedTuple):
    """At `site` something is done with what the parent made; `used` is the call in the child."""

    site: Site
    run: Run
    used: Site

    @property
    def notes(self) -> tuple[Note, ...]:
        return (*trace(self.run), Note(site_place(self.used), "and used here"))


class Forked:
    """Answers for one program."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._calls = program.calls

    @cached_property
    def _members(self) -> dict[int, list[tuple[str, Run]]]:
        """What runs in forked processes, by the root."""
        found: dict[int, list[tuple[str, Run]]] = {}
        if self._program.options.target >= FORKED_BEFORE or self._called(CHOOSING):
            return found
        contexts = self._program.contexts
        for identity in sorted(contexts.functions()):
            for run in contexts.runs(identity):
                if run.context is Context.PROCESS and run.root.how.startswith(FORKING):
                    found.setdefault(run.root.number, []).append((identity, run))
        return found

    def _called(self, names: tuple[str, ...]) -> bool:
        return any(name in file.header.called for file in self._calls.files for name in names)

    # -- log files

    def log_files(self) -> Iterator[Inherited]:
        """Handlers that write to files, made before processes start that log."""
        if not self._members or self._called(QUEUED):
            return
        logs = [one for members in self._members.values() if (one := self._logs(members)) is not None]
        for site in self._handlers():
            for run, used in logs:
                if self._made_before(site, run.root.site) and not only_tests(site.file.path, run.root.site.file.path):
                    yield Inherited(site, run, used)
                    break

    def _handlers(self) -> Iterator[Site]:
        for name in sorted(one.rpartition(".")[2] for one in HANDLERS):
            for site in self._calls.calls_named(name):
                if self._calls.library_names(site) & HANDLERS and not among_tests(site.file.path):
                    yield site
        for site in self._calls.calls_named("basicConfig"):
            to_file = any(word == "filename" for word, _ in site.call.keywords)
            if to_file and "logging.basicConfig" in self._calls.library_names(site) and not among_tests(site.file.path):
                yield site

    def _logs(self, members: list[tuple[str, Run]]) -> tuple[Run, Site] | None:
        """Where the process logs, unless it sets its own logging up."""
        found: tuple[Run, Site] | None = None
        for identity, run in members:
            for site, names in self._library_calls(identity):
                if names & CONFIGURING:
                    return None
                if found is None and names & LOGGING:
                    found = run, site
        return found

    def _library_calls(self, identity: str) -> Iterator[tuple[Site, frozenset[str]]]:
        file, function = self._calls.function(identity)
        for call in function.calls:
            site = Site(file, function, call)
            yield site, self._calls.library_names(site)

    def _made_before(self, site: Site, start: Site) -> bool:
        """Whether main comes past `site` on its way to the start: what a module does comes before its functions."""
        if site.file.path == start.file.path and not site.function.qualname and start.function.qualname:
            return True
        made, started = self._ways(site), self._ways(start)
        return any(line < started[function] for function, line in made.items() if function in started)

    def _ways(self, site: Site) -> dict[str, int]:
        """The functions from which main gets there, with the line of the call that leads there."""
        found = {site.caller: site.call.line}
        level = [site.caller]
        for _ in range(DEEPEST):
            above = [caller for one in level for caller in self._calls.callers(one)]
            level = [one.caller for one in above if one.caller not in found]
            for one in above:
                found.setdefault(one.caller, one.call.line)
        return found

    # -- random numbers

    def draws(self) -> Iterator[Inherited]:
        """NumPy's global generator, used by several processes that began with the same state."""
        for members in self._members.values():
            run = members[0][1]
            if not run.many or among_tests(run.root.site.file.path) or self._seeds(members):
                continue
            for identity, one in members:
                drawn = next((site for site, names in self._library_calls(identity) if names & DRAWS), None)
                if drawn is not None:
                    yield Inherited(drawn, one, drawn)
                    break

    def _seeds(self, members: list[tuple[str, Run]]) -> bool:
        """Whether the process seeds it, or an initializer that runs before."""
        start = members[0][1].root.site.file.path
        near = (one for some in self._members.values() for one in some if one[1].root.site.file.path == start)
        return any(names & SEEDS for identity, _ in near for _, names in self._library_calls(identity))
