"""Context variables that the starter of a thread has set, and that are read in the thread, where they are not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from conclint.index.facts import CallFact, Use
from conclint.knowledge.kinds import Context
from conclint.model import Note
from conclint.program.calls import Site
from conclint.program.contexts import Run, site_place
from conclint.program.contexts import evidence as trace
from conclint.program.linking import Program
from conclint.program.spawns import Root
from conclint.program.testfiles import among_tests
from conclint.program.values import Store

VARIABLE = "contextvars.ContextVar"

# docs.python.org/3/library/asyncio-task.html#asyncio.to_thread, anyio.readthedocs.io/threads, starlette.io/threadpool:
# "the current contextvars.Context is propagated"
CARRYING = ("asyncio.to_thread", "anyio.to_thread.run_sync", "starlette.concurrency.run_in_threadpool")

# What a new thread inherits where `sys.flags.thread_inherit_context` is on: docs.python.org/3.14/library/threading.html
INHERITING = ("threading.Thread", "threading.Timer")
INHERITED = (3, 14)

# Callers of the starter are looked at so far up.
DEEPEST = 2


class Lost(NamedTuple):
    """`variable` is set at `put`, and then the thread is started that reads it at `got`."""

    root: Root
    variable: str
    put: Site
    got: Site
    run: Run

    @property
    def notes(self) -> tuple[Note, ...]:
        return (
            Note(site_place(self.put), f"`{self.variable}` is set here"),
            *trace(self.run),
            Note(site_place(self.got), "and read here"),
        )


class Carried:
    """Answers for one program."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._calls = program.calls
        self._puts = self._found("set")
        self._gets = self._found("get") if self._puts else {}

    def lost(self) -> Iterator[Lost]:
        """At most one for each start."""
        seen = set()
        for store, sites in self._gets.items():
            for got in sites:
                for run in self._program.contexts.runs(got.caller):
                    root = run.root
                    if root.number not in seen and not self._is_set_within(store, root) and self._counts(root):
                        put = self._put_before(store, root.site, DEEPEST)
                        if put is not None:
                            seen.add(root.number)
                            yield Lost(root, store.path, put, got, run)

    def _found(self, method: str) -> dict[Store, list[Site]]:
        """The calls of a method of context variables, by the variable."""
        found: dict[Store, list[Site]] = {}
        if not self._calls.files.importing("contextvars"):
            return found
        for site in self._calls.calls_named(method):
            if f"{VARIABLE}.{method}" in self._calls.library_names(site) and not _expects_none(site):
                owner = site.call.func.rpartition(".")[0]
                store = self._program.names.meaning(site.file, site.function, owner).store
                if store is not None:
                    found.setdefault(store.root, []).append(site)
        return found

    def _counts(self, root: Root) -> bool:
        """Whether the thread begins with an empty context."""
        options = self._program.options
        inherits = options.free_threaded and options.target >= INHERITED and root.how in INHERITING
        thread = root.context is Context.THREAD and root.how not in CARRYING and not inherits
        return thread and not among_tests(root.site.file.path)

    def _is_set_within(self, store: Store, root: Root) -> bool:
        """Whether something that the thread runs sets it too."""
        contexts = self._program.contexts
        return any(
            run.root.number == root.number for site in self._puts.get(store, ()) for run in contexts.runs(site.caller)
        )

    def _put_before(self, store: Store, start: Site, depth: int) -> Site | None:
        """Where the starter, or who calls it, has set the variable by then."""
        for put in self._puts.get(store, ()):
            if (
                put.caller == start.caller
                and put.call.line <= start.call.line
                and not _one_of_two(put.call, start.call)
            ):
                return put
        callers = self._calls.callers(start.caller) if depth else ()
        above = (self._put_before(store, site, depth - 1) for site in callers)
        return next((one for one in above if one is not None), None)


def _one_of_two(put: CallFact, start: CallFact) -> bool:
    """Whether the value is perhaps not set on the way to the start."""
    return bool(put.use & Use.BRANCH) and not start.use & Use.BRANCH


def _expects_none(site: Site) -> bool:
    """Whether the function knows what to do where nobody has set the variable: it catches what `get` raises then."""
    return any(path == "LookupError" for path, _, _ in site.function.touches)
