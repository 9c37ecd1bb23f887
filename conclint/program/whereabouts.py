"""Where a start runs its target, where something beside the start decides that: the executor, the kind of joblib's."""

from __future__ import annotations

from typing import Final

from conclint.index.facts import Use
from conclint.knowledge.kinds import Context, Spawner
from conclint.program.calls import Calls, Site
from conclint.program.startsites import keyword
from conclint.program.values import Sort

# joblib.readthedocs.io/en/stable/generated/joblib.Parallel.html: what makes it threads instead of processes
DELAYED = "joblib.delayed"
BY_THREADS = frozenset({("prefer", "=threads"), ("backend", "=threading"), ("require", "=sharedmem")})
WITH_BACKEND = frozenset({"parallel_backend", "parallel_config"})  # … or those in a block

# docs.python.org/3/library/asyncio-eventloop.html#asyncio.loop.run_in_executor: the first argument says where
IN_EXECUTOR: Final = "asyncio.AbstractEventLoop.run_in_executor"
PROCESSES = frozenset({"concurrent.futures.ProcessPoolExecutor", "concurrent.futures.InterpreterPoolExecutor"})


def runs_in_threads(site: Site) -> bool:
    """Whether the `Parallel` of the same function, beside which joblib's `delayed` stands, works with threads."""
    made = [call for call in site.function.calls if call.func.rpartition(".")[2] == "Parallel"]
    near = min(made, key=lambda call: abs(call.line - site.call.line), default=None)
    if near is None:
        return False
    around = (call for call in site.function.calls if call.func.rpartition(".")[2] in WITH_BACKEND)
    blocks = [call for call in around if call.use & Use.WITH and call.line <= site.call.line]
    said = {*near.keywords, *(("backend", path) for call in blocks[-1:] for path in call.args[:1])}
    return not BY_THREADS.isdisjoint(said.union(*(call.keywords for call in blocks[-1:])))


def where(calls: Calls, site: Site, name: str, spawner: Spawner) -> Context:
    """The context of what the spawner `name` runs here."""
    if name == DELAYED and runs_in_threads(site):
        return Context.THREAD
    if name == IN_EXECUTOR and runs_in_processes(calls, site):
        return Context.PROCESS
    return spawner.context


def runs_in_processes(calls: Calls, site: Site) -> bool:
    """Whether the executor that is asked is surely one of processes."""
    values = calls.names.meaning(site.file, site.function, keyword(site.call, "executor", 0)).values
    known = calls.names.knowledge.ancestors
    return bool(values) and all(
        one.sort is Sort.INSTANCE and not PROCESSES.isdisjoint(known(one.name)) for one in values
    )
