"""Which races are rare with the GIL and common without it."""

from __future__ import annotations

import re

from conclint.knowledge.containers import HASHED, ITEM_BY_ITEM, OF_DEQUES
from conclint.program.linking import Program
from conclint.program.observations import NEXT, ONCE, SOFT, Act
from conclint.program.races import Race

# What is called so fills a table before threads come, mostly while modules are imported.
REGISTERS = re.compile(r"regist|subscribe|install|setup|configur|plugin|hook|^_?(?:add|init|load|set)(?:_|$)", re.I)


def relies_on_gil(program: Program, race: Race) -> bool:
    """Whether it is a test and an act on a container of the module or class, which a GIL mostly keeps together."""
    access = race.moment.access
    shared = access.store.sort == "global" or access.through_class
    kept = access.operation not in (NEXT, ONCE)
    return program.options.free_threaded and access.act is Act.CHECK_ACT and shared and kept


def walks_freely(program: Program, race: Race) -> bool:
    """Whether it is a walk over a dict, set or deque, where there is no GIL to make it short."""
    access = race.moment.access
    if not program.options.free_threaded or access.act is not Act.ITERATE:
        return False
    if access.operation.removesuffix("()") in ITEM_BY_ITEM | OF_DEQUES:
        return True
    values = program.names.held(race.store)
    return access.operation != "for" or (bool(values) and all(value.name in HASHED for value in values))


def told_freely(program: Program, race: Race) -> bool:
    """Whether it is worth saying unasked: shown by threads, promised firmly, or one too many is made.

    Who runs without the GIL means several threads to come.
    """
    if race.moment.access.operation in SOFT:
        return False  # computed twice at worst
    everybodys = race.moment.access.act is Act.CHECK_ACT and race.store in program.promises.everybodys
    return race.promise is None or race.promise.firm or everybodys


def registers(race: Race) -> bool:
    """Whether the other side most likely is over before threads come."""
    name = race.other.access.function.rpartition(".")[2].rpartition(":")[2]
    return race.promise is not None and bool(REGISTERS.search(name))
