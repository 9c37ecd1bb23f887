"""Where the program makes code run somewhere else, and which code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from conclint.index.facts import CallFact, Kind, Use
from conclint.knowledge.kinds import Context, Knowledge, Spawner, Target
from conclint.program.callbacks import assigned, is_entry
from conclint.program.calls import Calls, Site
from conclint.program.files import File
from conclint.program.forwarding import Forwarding
from conclint.program.startsites import (
    argument,
    arguments,
    ends_with_block,
    outlives,
    singly,
    starts_several,
)
from conclint.program.values import Reach, Sort, Value, function_id, split_id
from conclint.program.whereabouts import where

# Callables are followed through so many helpers.
DEEPEST = 3

# What is called so starts a thread, wherever it comes from; unless it is about a thread that runs already.
STARTER = re.compile(
    r"^_*(?:run|start|launch|create|spawn|begin|new|make|execute|call|submit)_(?:\w+_)?(?:threads?|thread_?pool)"
    r"(?:_(?:fc|func|fn|function|factory))?$|^_*in_(?:a_)?(?:new_)?thread$|^(?:run|call|defer)(?:In|To)Thread$"
)
RUNNING = re.compile(r"main|gui|ui_|loop|asyncio|own|same|from")

# Each call of these starts one.
SINGLE = frozenset({"threading.Thread", "threading.Timer", "multiprocessing.Process"})

# What each spawner needs imported somewhere is the first part of its name; these need nothing.
EVERYWHERE = frozenset({"builtins"})


class Root(NamedTuple):
    """One place that runs `target` in `context`.

    `many`: several runs of the target can be under way at once.  `shared`: the receiver of a bound target is an object
    that the rest of the program can reach; `many_each`: several such runs can share one receiver.  `handed`: the target
    came there by way of a helper of the program's own, which starts it at `origin`; `waited`: and does not come back
    before all of it is done.
    """

    number: int
    context: Context
    how: str
    site: Site
    target: str
    owner: str
    many: bool
    shared: bool
    many_each: bool
    handed: bool = False
    waited: bool = False
    origin: Site | None = None

    @property
    def at_once(self) -> bool:
        """Whether the place itself starts several: a pool, a loop."""
        return self.how not in SINGLE or bool(self.site.call.use & Use.LOOP)


class Spawns:
    """All roots of the program; `wrapped` are functions that a decorator starts whenever they are called."""

    def __init__(self, calls: Calls, knowledge: Knowledge) -> None:
        self._calls = calls
        self._names = calls.names
        self._knowledge = knowledge
        self.roots: list[Root] = []
        self.wrapped: set[str] = set()
        self._seen: set[tuple[str, int, int, str]] = set()
        self._forwarding = Forwarding(calls)
        self._calling_back: list[tuple[Site, str, Spawner]] = []
        self._find_by_call()
        self._find_subclasses()
        self._find_decorated()
        self._find_by_name()
        self._find_called_back()

    # -- calls of spawners

    def _usable(self, target: Target) -> dict[str, Spawner]:
        """The spawners that this program can mean, given what it imports."""
        imported = frozenset().union(EVERYWHERE, *(file.roots for file in self._calls.files))
        imported |= {
            name.partition(".")[0]
            for alias, name in self._knowledge.aliases.items()
            if alias.partition(".")[0] in imported
        }
        imported |= {
            base.partition(".")[0]
            for cls in self._knowledge.bases
            if cls.partition(".")[0] in imported
            for base in self._knowledge.ancestors(cls)
        }
        return {
            name: spawner
            for name, spawner in self._knowledge.spawners.items()
            if (spawner.target is Target.DECORATED) == (target is Target.DECORATED)
            and name.partition(".")[0] in imported
        }

    def _find_by_call(self) -> None:
        spawners = self._usable(Target.ARGUMENT)
        knows = self._knowledge
        derived = [cls for cls in knows.bases if any(base in spawners for base in knows.ancestors(cls))]
        last = {name.rpartition(".")[2] for name in (*spawners, *derived)}
        aliased = {alias.rpartition(".")[2] for alias, name in self._knowledge.aliases.items() if name in spawners}
        for file in self._calls.files:
            renamed = {one.name for one in file.header.imports if one.target.rpartition(".")[2] in last}
            for name in sorted((last | aliased | renamed) & file.header.called):
                for function, call in self._calls.in_file(file, name):
                    self._try(Site(file, function, call), spawners)

    def _try(self, site: Site, spawners: dict[str, Spawner]) -> None:
        """What may be of an event loop as well is no evidence of a thread: `future: Future | asyncio.Future`."""
        names = (name for value in self._calls.meaning(site).values for name in self._spellings(value))
        found = [name for name in names if name in spawners]
        if found:
            name = next((one for one in found if spawners[one].context is Context.LOOP), found[0])
            self._spawn(site, name, replace(spawners[name], context=where(self._calls, site, name, spawners[name])))

    def _spellings(self, value: Value) -> tuple[str, ...]:
        """A library class under its bases too: `ThreadingHTTPServer` is a `ThreadingMixIn`."""
        if value.sort is Sort.LIBRARY and value.name in self._knowledge.bases:
            return self._knowledge.ancestors(value.name)
        return self._calls.library_spellings(value)

    def _spawn(self, site: Site, name: str, spawner: Spawner) -> None:
        if spawner.target is Target.ASSIGNED and spawner.handed:
            self._calling_back.append((site, name, spawner))
        elif spawner.target is Target.ASSIGNED:
            self._spawn_assigned(site, name, spawner)
        elif spawner.target is not Target.METHODS:
            for path in arguments(site.call, spawner):
                self._spawn_value(site, name, spawner, path)
        for other in spawner.also:
            self._spawn(site, name, other)

    def _spawn_assigned(self, site: Site, name: str, spawner: Spawner) -> None:
        for value in assigned(self._calls, spawner, name.rpartition(".")[0]):
            if value.sort is Sort.FUNCTION:
                self._add(site, name, spawner, value)

    def _find_called_back(self) -> None:
        """What a library calls back in whichever thread its own loop runs."""
        for site, name, spawner in self._calling_back:
            for root in [one for one in self.roots if one.target == site.caller]:
                self._spawn_assigned(site, name, replace(spawner, context=root.context))

    def _spawn_value(self, site: Site, name: str, spawner: Spawner, path: str, depth: int = DEEPEST) -> None:
        for value in self._names.meaning(site.file, site.function, path).values:
            if spawner.target is Target.HANDLER and value.sort is Sort.CLASS:
                for method in self._entries(value.name, spawner.methods):
                    self._add(site, name, spawner, Value(Sort.FUNCTION, method, value.name, Reach.FRESH))
            elif value.sort is Sort.FUNCTION:
                self._add(site, name, spawner, value)
                if value.owner and value.reach is Reach.SELF:
                    for override in self._calls.overrides(value):
                        self._add(site, name, spawner, override)
            elif value.sort is Sort.LIBRARY:
                for one in self._calls.library_spellings(value):
                    known = self._knowledge.spawners.get(one)
                    if known is not None and known.handed:
                        self._spawn_assigned(site, one, replace(known, context=spawner.context))
            elif value.sort is Sort.INSTANCE and (called := self._calls.method(value.name, "__call__")):
                self._add(site, name, spawner, Value(Sort.FUNCTION, called, value.name, Reach.OTHER))
        if spawner.target is Target.ARGUMENT and depth:
            self._spawn_handed(site, name, spawner, path, depth)

    def _spawn_handed(self, site: Site, name: str, spawner: Spawner, path: str, depth: int) -> None:
        """The callables that helpers of the program's own are given to start."""
        several, waited = starts_several(site, name), self._forwarding.waits(site)
        if waited and not several:
            return  # nothing else goes on meanwhile
        spawner = replace(spawner, many=spawner.many or several)
        begun = len(self.roots)
        for other, given in self._forwarding.handed(site, path):
            self._hand(other, name, spawner, given, depth - 1)
        for other, value in self._forwarding.decorated(site, path):
            self.wrapped.add(value.name)
            self._add(other, name, spawner, value)
        waited = waited or ends_with_block(site)
        self.roots[begun:] = [root._replace(origin=site, waited=waited or root.waited) for root in self.roots[begun:]]

    def _hand(self, site: Site, name: str, spawner: Spawner, path: str, depth: int) -> None:
        begun = len(self.roots)
        self._spawn_value(site, name, spawner, path, depth)
        self.roots[begun:] = [root._replace(handed=True) for root in self.roots[begun:]]

    def _entries(self, cls: str, wanted: tuple[str, ...]) -> Iterator[str]:
        for base in self._names.classes.mro(cls):
            _, fact = self._names.scopes.class_(base) if ":" in base else (None, None)
            for method, qualname in fact.methods if fact is not None else ():
                if is_entry(method, wanted):
                    yield function_id(split_id(base)[0], qualname)

    def _add(self, site: Site, name: str, spawner: Spawner, value: Value) -> None:
        key = (site.file.path, site.call.line, site.call.column, value.name)
        if key in self._seen:
            return
        self._seen.add(key)
        path, qualname = split_id(value.name)
        if self._is_coroutine(self._calls.files[path], qualname, spawner):
            return
        apart = spawner.target is Target.ASSIGNED  # one thread for each of the library's objects
        again = not apart and (self._calls.repeated(site) or outlives(site, name))
        many = (spawner.many or again) and not singly(site)
        shared, many_each = self._receiver(site, name, spawner, value, many=many)
        self.roots.append(
            Root(len(self.roots), spawner.context, name, site, value.name, value.owner, many, shared, many_each)
        )
        self._spawn_called(name, spawner, value.name)

    def _spawn_called(self, name: str, spawner: Spawner, target: str) -> None:
        """What a thread calls on behalf of whoever made its object: `Repeated(9, self.flush)`."""
        if spawner.context in (Context.THREAD, Context.PROCESS):
            for site, path in self._forwarding.called(target):
                self._hand(site, name, spawner, path, 0)

    def _receiver(self, site: Site, name: str, spawner: Spawner, value: Value, *, many: bool) -> tuple[bool, bool]:
        """Whether others reach the receiver of a bound target, and whether several runs share it."""
        here = spawner.many or bool(site.call.use & Use.LOOP) or (many and outlives(site, name))
        owner = argument(site.call, spawner).rpartition(".")[0]
        if owner and any(one.sort is Sort.CLASS for one in self._names.meaning(site.file, site.function, owner).values):
            return False, False  # `pool.map(Task.run, tasks)`: each has an object of its own
        if value.reach is Reach.SELF:
            return True, here and many
        if value.reach is Reach.SHARED:
            return True, many
        if not value.owner or spawner.target is Target.HANDLER:
            return False, False
        head = argument(site.call, spawner).partition(".")[0]
        given = any(param.name == head for param in site.function.params)
        if given and all(target != head for target, _ in _rebound(site)):
            return True, here  # the caller has it too
        made = [call for call in site.function.calls if head in call.goes]
        made_outside = bool(made) and not any(call.use & Use.LOOP for call in made)
        return made_outside, made_outside and here

    # -- subclasses with an entry method

    def _find_subclasses(self) -> None:
        for name, spawner in self._knowledge.spawners.items():
            if spawner.methods and spawner.target not in (Target.HANDLER, Target.ASSIGNED):
                for cls in self._names.classes.deriving(frozenset({name})):
                    self._subclass(cls, name, spawner)

    def _subclass(self, cls: str, name: str, spawner: Spawner) -> None:
        file, fact = self._names.scopes.class_(cls)
        if file is None or fact is None:
            return
        made = [
            site
            for site in self._calls.calls_named(fact.qualname.rpartition(".")[2])
            if any(value.name == cls for value in self._calls.meaning(site).values)
        ]
        here = CallFact(fact.qualname, fact.line, 1, (), (), 0, ())
        site = made[0] if made else Site(file, file.body.functions[""], here)
        many = any(self._calls.repeated(one) for one in made) or len(made) > 1
        for method, qualname in fact.methods:
            if is_entry(method, spawner.methods) and not self._is_coroutine(file, qualname, spawner):
                target = function_id(file.path, qualname)
                root = Root(
                    len(self.roots),
                    spawner.context,
                    name,
                    site,
                    target,
                    cls,
                    many or spawner.many,
                    not spawner.fresh,
                    False,
                )
                self.roots.append(root)
                self._spawn_called(name, spawner, target)

    @staticmethod
    def _is_coroutine(file: File, qualname: str, spawner: Spawner) -> bool:
        """Calling a coroutine function elsewhere only makes a coroutine object."""
        return spawner.context is not Context.LOOP and bool(file.body.functions[qualname].kind & Kind.ASYNC)

    # -- names

    def _find_by_name(self) -> None:
        """Calls of what is nowhere to be seen, but says by its name what it does with the method it is given."""
        for file in self._calls.files:
            for name in sorted(file.header.called):
                if STARTER.search(name) and not RUNNING.search(name):
                    for function, call in self._calls.in_file(file, name):
                        self._named(Site(file, function, call), name)

    def _named(self, site: Site, name: str) -> None:
        values = self._calls.meaning(site).values
        if any(":" in one.name or self._knowledge.spawners.keys() & {*self._spellings(one)} for one in values):
            return
        for position, path in enumerate(site.call.args):
            for value in self._names.meaning(site.file, site.function, path).values:
                if value.sort is Sort.FUNCTION and value.owner:
                    self._add(site, name, Spawner(Context.THREAD, position=position), value)

    # -- decorators

    def _find_decorated(self) -> None:
        spawners = self._usable(Target.DECORATED)
        if not spawners:
            return
        last = sorted({name.rpartition(".")[2] for name in spawners})
        libraries = {name.partition(".")[0] for name in spawners}
        for file in self._calls.files:
            if libraries & file.roots or not file.header.called.isdisjoint(last):
                for name in last:
                    self._decorated_by(name, file, spawners)

    def _decorated_by(self, name: str, file: File, spawners: dict[str, Spawner]) -> None:
        for function in file.body.functions.decorated(name):
            for path in function.decorators:
                if path.removesuffix("()").rpartition(".")[2] == name:
                    self._decorated(Site(file, function, CallFact(path, function.line, 1, (), (), 0, ())), spawners)

    def _decorated(self, site: Site, spawners: dict[str, Spawner]) -> None:
        module = site.file.body.functions[""]
        for value in self._names.meaning(site.file, module, site.call.func.removesuffix("()")).values:
            for name in self._calls.library_spellings(value):
                spawner = spawners.get(name)
                if spawner is not None and not self._is_coroutine(site.file, site.function.qualname, spawner):
                    target = Value(Sort.FUNCTION, site.caller)
                    self._add(site, name, spawner, target)


def _rebound(site: Site) -> Iterator[tuple[str, str]]:
    """The function's own assignments, annotations of parameters left out."""
    return ((target, path) for target, path in site.function.binds if not path.startswith(":"))
