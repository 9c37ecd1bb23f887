"""Which top-level statements deserve a close look."""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence

from conclint.index.facts import CallFact, FunctionFact, Use
from conclint.program.calls import Calls, Site
from conclint.program.contexts import CONCURRENT, Contexts
from conclint.program.files import File
from conclint.program.maylock import MayLock
from conclint.program.mentioned import mentions_of_locks
from conclint.program.spawns import Root
from conclint.program.state import User
from conclint.program.triggers import Triggers
from conclint.program.values import Store, function_id
from conclint.program.walks import Walk, disturbed_walks
from conclint.program.worked import Member, Worked

# Locks are looked for in callers of callers, so far up.
CALLERS_DEEP = 3


# By file and number of the region: the numbers of its parts.
Chosen = dict[str, dict[int, set[int]]]


def pieces(file: File, chosen: Mapping[int, set[int]]) -> tuple[tuple[tuple[int, int], ...], ...]:
    """First and last lines of the pieces of each chosen region, in the order of the file."""
    found = []
    for number in sorted(chosen):
        region = file.body.regions[number]
        parts = [region.parts[part] for part in sorted(chosen[number])]
        if len(region.always) == 1 and region.parts and not parts:
            parts = [region.parts[0]]  # a class needs a body
        found.append(tuple(sorted((*region.always, *parts))))
    return tuple(found)


class Regions:
    """Finds where triggers occur."""

    def __init__(
        self,
        calls: Calls,
        contexts: Contexts,
        triggers: Mapping[str, Triggers],
        shared: Mapping[Store, tuple[User, ...]],
        roots: Iterable[Root] = (),
    ) -> None:
        self._roots = roots
        self._calls = calls
        self._contexts = contexts
        importing = calls.files.importing
        self._triggers = {code: one for code, one in triggers.items() if not one.needs or importing(one.needs)}
        self._shared = shared
        self._chosen: Chosen = {}
        self.rules: dict[str, set[str]] = {}  # by file: the codes of the rules whose triggers occur in it
        self._worked = Worked(calls, contexts)
        self._may_lock = MayLock(calls)
        self._lockers: set[str] = set()  # callers that may hold locks, and were looked at
        self.lockers: Mapping[str, tuple[str, ...]] = {}
        self.walks: dict[str, list[Walk]] = {}  # by file: loops that may change what they run over
        self.waiting: dict[str, list[str]] = {}  # by file: coroutines that share what they change
        self.watched: set[str] = set()  # files in which state, locks and output are observed

    def chosen(self) -> Chosen:
        """The regions to parse, and of classes the parts."""
        triggers = self._triggers
        self._by_calls(_by_name({code: one for code, one in triggers.items() if not one.contexts}))
        self._by_contexts({code: one for code, one in triggers.items() if one.contexts})
        for code, trigger in triggers.items():
            if trigger.within:
                self._by_within(code, trigger)
            if trigger.constructors:
                self._by_constructors(code, trigger)
            if trigger.together:
                self._by_pairs(code, trigger)
            if trigger.targets or trigger.helpers:
                self._by_roots(code, trigger)
            if trigger.bases:
                self._by_bases(code, trigger.bases)
            if trigger.keeping:
                self._by_keeping(code, trigger.keeping)
            for path in sorted(trigger.walked):
                self._by_walk(code, path)
            if trigger.mentioned:
                self._by_mentions(code, trigger.mentioned)
            if trigger.walks:
                self._by_disturbed_walks(code)
        self._by_settings()
        self._by_state()
        if self._shared or any(one.contexts & CONCURRENT or one.objects for one in triggers.values()):
            self._by_starts()
        return self._chosen

    def add_lockers(self, lockers: Mapping[str, tuple[str, ...]]) -> None:
        """Chooses functions by file and qualified name, of which it matters what they do while they hold locks."""
        self.lockers = lockers
        codes = [code for code, trigger in self._triggers.items() if trigger.locks]
        for path in sorted(lockers):
            file = self._calls.files[path]
            self._run(file, codes)
            for function in (file.body.functions[name] for name in lockers[path]):
                for line in _lines(function):
                    self._choose(file, line)

    def add_tasks(self, coroutines: Iterable[tuple[File, FunctionFact]]) -> None:
        """Chooses coroutines in which it matters what happens before and after they wait."""
        codes = [code for code, trigger in self._triggers.items() if trigger.tasks]
        seen: set[str] = set()
        for file, function in coroutines:
            self.waiting.setdefault(file.path, []).append(function.qualname)
            self._concurrent(codes, Member(file, function), function.line, seen)

    def _choose(self, file: File, line: int) -> None:
        regions = file.body.regions
        number = bisect_right(regions, line, key=lambda region: region.first) - 1
        if number < 0:
            return
        parts = self._chosen.setdefault(file.path, {}).setdefault(number, set())
        found = bisect_right(regions[number].parts, (line, sys.maxsize)) - 1
        if found >= 0 and line <= regions[number].parts[found][1]:
            parts.add(found)

    def _run(self, file: File, codes: Iterable[str]) -> None:
        self.rules.setdefault(file.path, set()).update(codes)

    def _by_calls(self, wanted: Mapping[str, Sequence[str]]) -> None:
        """`wanted`: the codes of the rules that ask for each library name."""
        exact = frozenset(wanted)
        last = {name.rpartition(".")[2] for name in exact}
        aliases = self._calls.names.knowledge.aliases
        last |= {alias.rpartition(".")[2] for alias, name in aliases.items() if name in exact}
        last |= {cls.rpartition(":")[2].rpartition(".")[2] for cls in self._calls.names.classes.deriving(exact)}
        last.discard("")
        for file in self._calls.files:
            renamed = {one.name for one in file.header.imports if one.target.rpartition(".")[2] in last}
            for name in sorted((last | renamed) & file.header.called):
                for function, call in self._calls.in_file(file, name):
                    site = Site(file, function, call)
                    found = (self._calls.library_names(site) | self._overridden(site)) & exact
                    if found:
                        self._choose(file, call.line)
                        self._run(file, (code for one in found for code in wanted[one]))

    def _by_within(self, code: str, trigger: Triggers) -> None:
        for last in sorted({name.rpartition(".")[2] for name in trigger.calls}):
            for site in self._calls.calls_named(last):
                if site.function.name in trigger.within and self._calls.library_names(site) & trigger.calls:
                    self._choose(site.file, site.call.line)
                    self._run(site.file, (code,))

    def _by_constructors(self, code: str, trigger: Triggers) -> None:
        classes, scopes = self._calls.names.classes, self._calls.names.scopes
        for last in sorted(_last(trigger.calls)):
            for site in self._calls.calls_named(last):
                owner = site.function.owner
                if not owner or not self._calls.library_names(site) & trigger.calls:
                    continue
                for cls in classes.family(function_id(site.file.path, owner)):
                    file, fact = scopes.class_(cls)
                    made = dict(fact.methods).get("__init__", "") if fact is not None else ""
                    if file is not None and made:
                        self._run(file, (code,))
                        self._choose(file, file.body.functions[made].line)

    def _by_pairs(self, code: str, trigger: Triggers) -> None:
        """Functions that call one of each."""
        asked, acting = (_last(names) for names in (trigger.calls, trigger.together))
        for file in self._calls.files:
            if asked & file.header.called and acting & file.header.called:
                for function in file.functions():
                    called = {call.func.rpartition(".")[2]: call for call in function.calls}
                    if asked & {*called} and acting & {*called}:
                        for call in (call for last, call in called.items() if last in asked):
                            if self._calls.library_names(Site(file, function, call)) & trigger.calls:
                                self._watch(file, call.line)
                                self._run(file, (code,))

    def _by_walk(self, code: str, path: str) -> None:
        """By the spelling alone: looking up what each of so many calls means would cost more than it is worth."""
        head = path.partition(".")[0]
        over = {path + suffix for suffix in ("", ".items", ".keys", ".values", "[*]")}
        for file in self._calls.files.importing(head):
            for name in file.body.functions.mentioning(head):
                function = file.body.functions[name]
                called = any(call.func in over for call in function.calls)
                if name and (called or any(source in over for _, source in function.binds)):
                    self._run(file, (code,))
                    self._choose(file, function.line)

    def _by_disturbed_walks(self, code: str) -> None:
        for file, walk in disturbed_walks(self._calls):
            self.walks.setdefault(file.path, []).append(walk)
            self._run(file, (code,))
            for line in _lines(file.body.functions[walk.function]):
                self._choose(file, line)

    def _by_keeping(self, code: str, names: frozenset[str]) -> None:
        for file in self._calls.files.changes.of("__dict__"):
            for qualname, _ in file.body.functions.touching("__dict__"):
                if qualname.rpartition(".")[2] in names:
                    self._run(file, (code,))
                    self._choose(file, file.body.functions[qualname].line)

    def _by_mentions(self, code: str, methods: frozenset[str]) -> None:
        for file, function in mentions_of_locks(self._calls, methods):
            self._run(file, (code,))
            for line in _lines(function):
                self._choose(file, line)

    def _by_roots(self, code: str, trigger: Triggers) -> None:
        """What the calls start, and where helpers are given it."""
        for root in (one for one in self._roots if one.how in trigger.calls):
            if trigger.targets:
                file, function = self._calls.function(root.target)
                self._run(file, (code,))
                self._choose(file, function.line)
            if trigger.helpers and root.handed:
                self._run(root.site.file, (code,))
                self._choose(root.site.file, root.site.call.line)

    def _by_bases(self, code: str, bases: frozenset[str]) -> None:
        """Whole classes that derive from one of the bases."""
        names = self._calls.names
        for cls in names.classes.deriving(bases):
            file, fact = names.scopes.class_(cls)
            if file is not None and fact is not None:
                self._run(file, (code,))
                self._choose(file, fact.line)
                for _, qualname in fact.methods:
                    self._choose(file, file.body.functions[qualname].line)

    def _overridden(self, site: Site) -> set[str]:
        """A method of the program's under the names that it has in its class's library bases."""
        last = site.call.func.rpartition(".")[2]
        owners = (value.owner for value in self._calls.meaning(site).values if value.owner and ":" in value.owner)
        mro = self._calls.names.classes.mro
        return {f"{base}.{last}" for owner in owners for base in mro(owner) if ":" not in base}

    def _by_contexts(self, triggers: Mapping[str, Triggers]) -> None:
        asked = [(code, one, _last(one.calls)) for code, one in triggers.items()]
        seen: dict[str, set[str]] = {code: set() for code in triggers}
        for identity in sorted(self._contexts.functions()) if asked else ():
            contexts = frozenset(run.context for run in self._contexts.runs(identity))
            file, function = self._calls.function(identity)
            called: dict[str, list[CallFact]] = {}
            for call in function.calls:
                called.setdefault(call.func.rpartition(".")[2], []).append(call)
            for code, trigger, last in asked:
                if contexts & trigger.contexts:
                    if function.kind & trigger.kinds:
                        self._choose(file, function.line)
                        self._run(file, (code,))
                    for call in (one for name in last & called.keys() for one in called[name]):
                        if self._calls.library_names(Site(file, function, call)) & trigger.calls:
                            self._concurrent((code,), Member(file, function), call.line, seen[code])

    def _concurrent(self, codes: Iterable[str], where: Member, line: int, seen: set[str]) -> None:
        """Something happens in a worker: it counts which locks are held there, and by whose callers."""
        self._watch(where.file, line)
        self._run(where.file, codes)
        self._holders(where.file, where.function)
        self._locking_callers(where.identity, CALLERS_DEEP, seen)

    def _by_settings(self) -> None:
        triggers = {code: one for code, one in self._triggers.items() if one.settings or one.objects}
        seen: set[str] = set()
        for codes, where, line in self._worked.of(triggers) if triggers else ():
            self._concurrent(codes, where, line, seen)
        for code, trigger in self._triggers.items():
            for where, line in self._worked.updated(trigger.updated) if trigger.updated else ():
                self._run(where.file, (code,))
                self._choose(where.file, line)
            for where, line in self._worked.in_coroutines() if trigger.thread_locals else ():
                self._run(where.file, (code,))
                self._choose(where.file, line)

    def _by_state(self) -> None:
        seen: set[str] = set()
        codes = [code for code, trigger in self._triggers.items() if trigger.state]
        for users in self._shared.values():
            for user in users:
                self._run(user.file, codes)
                for line in _lines(user.function):
                    self._watch(user.file, line)
                self._holders(user.file, user.function)
                identity = function_id(user.file.path, user.function.qualname)
                self._locking_callers(identity, CALLERS_DEEP, seen)

    def _by_starts(self) -> None:
        """What stands before a start, or after a join, is no race."""
        for root in self._roots:
            if root.context in CONCURRENT:
                self._watch(root.site.file, root.site.call.line)

    def _watch(self, file: File, line: int) -> None:
        self.watched.add(file.path)
        self._choose(file, line)

    def _holders(self, file: File, function: FunctionFact) -> None:
        """The managers and decorators around its code, which may hold a lock."""
        used = [call.func for call in function.calls if call.use & Use.WITH]
        for path in (*used, *function.wrappers):
            for value in self._calls.targets(file, function, path):
                home, holder = self._calls.function(value.name)
                self._watch(home, holder.line)

    def _locking_callers(self, identity: str, depth: int, seen: set[str]) -> None:
        """Callers that hold something while they call: their locks protect the callee too."""
        if depth == 0 or identity in seen:
            return
        seen.add(identity)
        for site in self._calls.callers(identity):
            caller = site.caller
            if self._may_lock.function(site.file, site.function):
                if caller not in self._lockers:
                    self._lockers.add(caller)
                    self._holders(site.file, site.function)
                self._watch(site.file, site.call.line)
            self._locking_callers(caller, depth - 1, seen)


def _last(names: Iterable[str]) -> set[str]:
    return {name.rpartition(".")[2] for name in names}


def _by_name(triggers: Mapping[str, Triggers]) -> dict[str, list[str]]:
    """The codes of the rules that ask for each name."""
    found: dict[str, list[str]] = {}
    for code, trigger in triggers.items():
        for name in trigger.calls:
            found.setdefault(name, []).append(code)
    return found


def _lines(function: FunctionFact) -> Iterator[int]:
    """Lines that stand for the function: its first; for a module, those of what it touches."""
    if function.qualname:
        yield function.line
    else:
        yield from (line for _, _, line in function.touches)
