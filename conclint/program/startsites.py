"""What a call that starts something says of it: the callable it is given, and how many of it can run at once."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.index.facts import CallFact, Use
from conclint.knowledge.kinds import Spawner
from conclint.knowledge.starting import MAPS
from conclint.program.calls import Site


def singly(site: Site) -> bool:
    """Whether what is started there is over, or surely alone, when it is started again."""
    return one_at_a_time(site) or in_turn(site) or only_without(site)


def one_at_a_time(site: Site) -> bool:
    """Whether the pool that is asked has a single worker."""
    made = _makers(site)
    return bool(made) and all(keyword(call, "max_workers", 0) == "=1" for call in made)


def pool_options(site: Site) -> tuple[str, ...]:
    """The keywords with which the pool is made that is asked."""
    return tuple(sorted({word for call in _makers(site) for word, _ in call.keywords}))


def _makers(site: Site) -> list[CallFact]:
    owner = site.call.func.rpartition(".")[0]
    made = [call for call in site.function.calls if owner in call.goes]
    if not made and owner.startswith("self."):
        made = [call for other in site.file.functions() for call in other.calls if owner in call.goes]
    return made


def starts_several(site: Site, name: str) -> bool:
    """Whether the place surely starts several at a time, which then run at once, whoever waits for them."""
    return name.rpartition(".")[2] in MAPS or bool(site.call.use & Use.LOOP and not in_turn(site))


def in_turn(site: Site) -> bool:
    """`while …: await to_thread(step)`; `thread = Thread(…); thread.start(); …; thread.join()`, in a loop or not."""
    return bool(site.call.use & Use.LOOP and site.call.use & Use.AWAITED) or _joined(site)


def only_without(site: Site) -> bool:
    """Whether the function looks first if the thread lives that it started last: `if not self.worker.is_alive():`."""
    asked = {f"{goal}.{question}" for goal in site.call.goes for question in ("is_alive", "isAlive")}
    return any(call.func in asked and call.line < site.call.line for call in site.function.calls)


def _joined(site: Site) -> bool:
    """Whether each round, or call, ends with a `join` of its thread, which nothing else is called, without a limit."""
    bound = [target for target, _ in site.function.binds]
    joins = {f"{goal}.join" for goal in site.call.goes if goal.isidentifier() and bound.count(goal) == 1}
    return any(
        call.func in joins
        and call.line > site.call.line
        and call.use & Use.LOOP == site.call.use & Use.LOOP
        and bool(call.use & Use.BRANCH) <= bool(site.call.use & Use.BRANCH)
        and not (call.args or call.keywords)
        for call in site.function.calls
    )


def ends_with_block(site: Site) -> bool:
    """Whether the pool that is asked ends with a `with` block of the same function, and all of its work then."""
    pool = site.call.func.rpartition(".")[0]
    return any(call.use & Use.WITH and pool in call.goes for call in site.function.calls)


def outlives(site: Site, name: str) -> bool:
    """Whether work is given to an executor that an object keeps: the method that does so may be called repeatedly."""
    own = site.call.func.startswith("self.") and bool(site.function.owner)
    return own and name.endswith((".submit", ".apply_async"))


def arguments(call: CallFact, spawner: Spawner) -> Iterator[str]:
    """The paths of all callables (or handler classes) that a spawner is given."""
    first = argument(call, spawner)
    if first:
        yield first
    if spawner.rest and spawner.position is not None:
        yield from (path for path in call.args[spawner.position + 1 :] if path and path != "*")


def argument(call: CallFact, spawner: Spawner) -> str:
    """The path of the callable (or handler class) that a spawner is given."""
    return keyword(call, spawner.keyword or "", spawner.position)


def keyword(call: CallFact, name: str, position: int | None) -> str:
    """The path of an argument by keyword or position; "" where it is missing or cannot be known."""
    for word, path in call.keywords:
        if word == name:
            return path
    if position is not None and position < len(call.args) and "*" not in call.args[: position + 1]:
        return call.args[position]
    return ""
