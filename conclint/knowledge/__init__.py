"""What library names mean: tables of data, each group of lines with its source."""

from __future__ import annotations

from conclint.knowledge.aliases import ALIASES
from conclint.knowledge.callbacks import CALLBACKS
from conclint.knowledge.containers import ATOMIC_READS, ATOMIC_WRITES, MUTATORS, SNAPSHOTS
from conclint.knowledge.effects import BLOCKING, DURABLE, IO
from conclint.knowledge.frameworks import FRAMEWORKS
from conclint.knowledge.gil import HOLDS_GIL, RELEASES_GIL
from conclint.knowledge.kinds import Context, Knowledge, LockKind, Spawner, Target
from conclint.knowledge.locks import LOCKS
from conclint.knowledge.returns import ATTRIBUTES, RETURNS
from conclint.knowledge.settings import PROCESS_WIDE
from conclint.knowledge.spawners import STANDARD
from conclint.knowledge.types import BASES, THREAD_SAFE
from conclint.knowledge.unshared import THREAD_UNSAFE

__all__ = ["BUILTIN", "Context", "Knowledge", "LockKind", "Spawner", "Target"]

BUILTIN = Knowledge(
    aliases=ALIASES,
    bases=BASES,
    returns=RETURNS,
    attributes=ATTRIBUTES,
    spawners=STANDARD | FRAMEWORKS | CALLBACKS,
    locks=LOCKS,
    thread_safe=THREAD_SAFE,
    mutators=MUTATORS,
    atomic=ATOMIC_READS | ATOMIC_WRITES,
    snapshots=SNAPSHOTS,
    io=IO,
    blocking=BLOCKING,
    releases_gil=RELEASES_GIL,
    holds_gil=HOLDS_GIL,
    durable=DURABLE,
    process_wide=PROCESS_WIDE,
    thread_unsafe=THREAD_UNSAFE,
)
