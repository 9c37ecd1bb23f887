"""What makes a region worth a close look: a rule names its triggers, the program finds where they occur."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from conclint.knowledge.kinds import Context, Setting, Unshared


@dataclass(frozen=True)
class Triggers:
    """A region is parsed when one of these occurs in it.

    `calls`: a call of a library name (a project's subclass counts as its library base, a method as its base's), or of
    anything below it where the entry ends in a dot.  With `contexts`, only in functions that run in one of them.
    `state`: something that several threads reach and change; `guarded`: something whose owner has a lock.
    `looks`: with `state`, also where it is only looked at, since two looks may find two things.
    `settings`: what changes these for the whole process, and `objects`: methods of objects of these kinds, in functions
    that run in one of the contexts.
    `targets`: with `calls`, also the functions that these calls start somewhere.
    `helpers`: with `calls`, also where a helper of the program's own is given what it starts with these calls.
    `within`: with `calls`, those in functions of one of these names.
    `kinds`: functions that run in one of the contexts and are of one of these kinds (bits of `Kind`).
    `bases`: a class that derives from one of these library classes, the whole of it.
    `locks`: a function that waits, or takes another lock, and has a lock.
    `walked`: functions that may run over these library names, in so many words (`for name in sys.modules`).
    `mentioned`: methods of locks that are named and not called, and locks that are a whole statement.
    `keeping`: methods of these names that put items into some object's `__dict__`.
    `updated`: objects of these library classes that are changed in place (`x.value += 1`, `x[k] += 1`, `x[k].f()`).
    `together`: with `calls`, also functions in whatever code that call one of these too; only for those who ask for the
    rule by name.
    `constructors`: with `calls`, also the `__init__` of classes whose methods make such a call, and of subclasses.
    `needs`: nothing of it unless some file of the program imports this.
    `walks`: functions that may change what their own loops walk over.
    `thread_locals`: a coroutine that sets an attribute of a `threading.local`.
    `tasks`: a coroutine that several tasks run, and that changes what they may share.
    """

    calls: frozenset[str] = frozenset()
    contexts: frozenset[Context] = frozenset()
    state: bool = False
    guarded: bool = False
    looks: bool = False
    settings: frozenset[Setting] = frozenset()
    objects: frozenset[Unshared] = frozenset()
    bases: frozenset[str] = frozenset()
    kinds: int = 0
    targets: bool = False
    locks: bool = False
    updated: frozenset[str] = frozenset()
    thread_locals: bool = False
    tasks: bool = False
    within: frozenset[str] = frozenset()
    walked: frozenset[str] = frozenset()
    keeping: frozenset[str] = frozenset()
    mentioned: frozenset[str] = frozenset()
    walks: bool = False
    together: frozenset[str] = frozenset()
    needs: str = ""
    constructors: bool = False
    helpers: bool = False


def calls(
    *names: str, runs_in: tuple[Context, ...] = (), together: Iterable[str] = (), helpers: bool = False
) -> Triggers:
    """Regions that call one of `names`, in functions that run in one of `runs_in` where that is given.

    `together`: for those who ask, also in any function that calls one of these as well.
    """
    where = frozenset(runs_in)
    return Triggers(calls=frozenset(names), contexts=where, together=frozenset(together), helpers=helpers)


def unasked(trigger: Triggers) -> Triggers:
    """What is left for those who do not ask for the rule by name."""
    return replace(trigger, together=frozenset()) if trigger.together else trigger


def interrupting(*names: str) -> Triggers:
    """Calls of `names` in finalizers, which interrupt other code."""
    runs_in = frozenset({Context.FINALIZER})
    return Triggers(calls=frozenset(names), contexts=runs_in, within=frozenset({"__del__"}))


def derives(*names: str) -> Triggers:
    """Classes of the program that derive from one of the library classes `names`."""
    return Triggers(bases=frozenset(names))


def starts(*names: str) -> Triggers:
    """Regions that call one of `names`, and the functions that are run so."""
    return Triggers(calls=frozenset(names), targets=True)


def outline(kinds: int, *, runs_in: tuple[Context, ...]) -> Triggers:
    """Functions of one of the kinds that run in one of the contexts."""
    return Triggers(kinds=kinds, contexts=frozenset(runs_in))


def updates(*types: str) -> Triggers:
    """Regions that change objects of library classes that processes share."""
    return Triggers(updated=frozenset(types), contexts=frozenset((Context.PROCESS,)))


def shared_state() -> Triggers:
    """Regions that touch what several threads reach and change."""
    return Triggers(state=True)


def looked_at() -> Triggers:
    """Regions that look at what several threads reach and change, perhaps twice."""
    return Triggers(state=True, looks=True)


def guarded_state() -> Triggers:
    """Regions that touch the state of whatever owns a lock, and what several threads reach."""
    return Triggers(state=True, guarded=True)


def shared_by_tasks() -> Triggers:
    """Coroutines that several tasks run at a time, and that change what they may share."""
    return Triggers(tasks=True)


def sets(*settings: Setting, runs_in: tuple[Context, ...] = (Context.THREAD,)) -> Triggers:
    """Regions that change settings of the whole process, in functions that run in threads."""
    return Triggers(settings=frozenset(settings), contexts=frozenset(runs_in))


def uses(*kinds: Unshared) -> Triggers:
    """Regions in which threads use objects of these kinds, and those that use the same objects."""
    return Triggers(objects=frozenset(kinds), contexts=frozenset((Context.THREAD,)))


def held_locks() -> Triggers:
    """Functions that have a lock and wait for something, or take another lock, themselves or in what they call."""
    return Triggers(locks=True)
