"""Which pool a call gives work to, and how many workers that has."""

from __future__ import annotations

from conclint.program.calls import Calls, Site
from conclint.program.startsites import keyword
from conclint.program.values import Store


def pool_of(calls: Calls, site: Site) -> Store | None:
    """What holds the pool of which a method is called."""
    owner, _, _ = site.call.func.rpartition(".")
    return calls.names.meaning(site.file, site.function, owner).store if owner else None


def has_one_worker(calls: Calls, pool: Store | None) -> bool:
    """Whether all that is ever put there is a pool with a single worker."""
    if pool is None:
        return False
    sizes = [
        keyword(call, "max_workers", 0)
        for _, function, path in calls.names.stores.puts(pool)
        for call in function.calls
        if path.startswith(call.func + "()") and any(goal.endswith(pool.path) for goal in call.goes)
    ]
    return bool(sizes) and all(size == "=1" for size in sizes)
