"""Whether a loop waits for what it has started before it starts the next."""

from __future__ import annotations

from conclint.index.facts import Use
from conclint.program.calls import Site


def in_turn(site: Site) -> bool:
    """`while …: await to_thread(step)`; `for …: thread = Thread(…); thread.start(); …; thread.join()`."""
    use = site.call.use
    return bool(use & Use.LOOP and (use & Use.AWAITED or _joined(site)))


def _joined(site: Site) -> bool:
    """Whether each round ends with a `join` of its thread, which nothing else is called, without a time limit."""
    names = {goal for goal in site.call.goes if goal.isidentifier()}
    names = {name for name in names if [target for target, _ in site.function.binds].count(name) == 1}
    return any(
        call.func in {f"{name}.join" for name in names}
        and call.line > site.call.line
        and call.use & Use.LOOP
        and not (call.use & Use.BRANCH or call.args or call.keywords)
        for call in site.function.calls
    )
