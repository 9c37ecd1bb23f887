"""Where workers change settings of the whole process, and use objects that one thread at a time may use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from conclint.index.facts import CallFact, FunctionFact, Touch
from conclint.knowledge.kinds import Context, Unshared
from conclint.knowledge.unshared import GENERATOR, GIVEN, HARMLESS, TAKING, WRITING
from conclint.program.calls import Calls, Site
from conclint.program.contexts import Contexts
from conclint.program.files import File
from conclint.program.startsites import keyword
from conclint.program.triggers import Triggers
from conclint.program.values import Sort, Store, function_id, split_id

LOCAL = "threading.local"

NOWHERE: frozenset[Context] = frozenset()

# What a file imports that makes processes.
MAKERS = frozenset({"multiprocessing", "concurrent", "billiard", "torch"})


# What makes objects that processes share.
SHARING = frozenset({"Value", "Array", "RawValue", "Manager", "SyncManager"})


class Member(NamedTuple):
    """A function where it stands."""

    file: File
    function: FunctionFact

    @property
    def identity(self) -> str:
        return function_id(self.file.path, self.function.qualname)


class Worked:
    """Looks through what workers run."""

    def __init__(self, calls: Calls, contexts: Contexts) -> None:
        self._calls = calls
        self._contexts = contexts
        self._knowledge = calls.names.knowledge

    def of(self, triggers: Mapping[str, Triggers]) -> Iterator[tuple[tuple[str, ...], Member, int]]:
        """The functions and lines in which the triggers' settings and objects occur, with the codes that ask."""
        settings = {
            setting: (code, frozenset(trigger.contexts))
            for code, trigger in triggers.items()
            for setting in trigger.settings
        }
        names = {name: settings[one] for name, one in self._knowledge.process_wide.items() if one in settings}
        last = {name.rpartition(".")[2] for name in names}
        kinds = {kind: code for code, trigger in triggers.items() for kind in trigger.objects}
        for one, contexts in self._running() if names else ():
            for name, line in self._set(one, last):
                code, wanted = names.get(name, ("", NOWHERE))
                if wanted & contexts:
                    yield (code,), one, line
        codes = tuple(sorted({*kinds.values()}))
        for one, line in (*self._used(kinds), *self._handed(kinds)) if kinds else ():
            yield codes, one, line

    def updated(self, types: frozenset[str]) -> Iterator[tuple[Member, int]]:
        """Where objects of the types, which processes share, are changed in place."""
        files = self._calls.files
        homes = [file.path for file in files if SHARING & file.header.called]
        if not homes:
            return
        near = dict.fromkeys(file for home in homes for file in files.packages.near(home, files))
        workers = {one.identity: one for one, contexts in self._running() if Context.PROCESS in contexts}
        makers = (Member(file, function) for file in near if MAKERS & file.roots for function in file.functions())
        for one in (workers | {maker.identity: maker for maker in makers}).values():
            plain = {param.name for param in one.function.params} | {target for target, _ in one.function.binds}
            if self._is_one_of(one, tuple(plain), types):
                yield one, one.function.line
            for path, bits, line in one.function.touches:
                anew = bits & Touch.WRITE and bits & Touch.READ and path.endswith(".value")
                if (anew or bits & Touch.AUGMENTED) and self._is_one_of(one, (path, path.rpartition(".")[0]), types):
                    yield one, line
            for call in one.function.calls:
                head, item, _ = call.func.partition("[]")
                if item and self._is_one_of(one, (head,), types):
                    yield one, call.line

    def _is_one_of(self, one: Member, paths: tuple[str, ...], types: frozenset[str]) -> bool:
        meanings = (self._calls.names.meaning(one.file, one.function, path) for path in paths if path)
        found = (value.name for meaning in meanings for value in meaning.values if value.sort is Sort.INSTANCE)
        return any(types & {*self._knowledge.ancestors(name)} for name in found)

    def in_coroutines(self) -> Iterator[tuple[Member, int]]:
        """Where coroutines set attributes of a `threading.local`."""
        names = self._calls.names
        for file in self._near_locals():
            for function in file.body.functions.coroutines():
                one = Member(file, function)
                for path, bits, line in function.touches:
                    owner = path.rpartition(".")[0]
                    if (
                        bits & Touch.WRITE
                        and owner
                        and any(
                            value.sort is Sort.INSTANCE
                            and (value.name == LOCAL or LOCAL in names.classes.mro(value.name))
                            for value in names.meaning(file, function, owner).values
                        )
                    ):
                        yield one, line

    def _near_locals(self) -> list[File]:
        """The files that can know of a `threading.local`, or of a class that derives from it."""
        files, deriving = self._calls.files, self._calls.names.classes.deriving(frozenset((LOCAL,)))
        homes = {split_id(cls)[0] for cls in deriving}
        for site in self._calls.calls_named("local"):
            if site.file.path not in homes and LOCAL in self._calls.library_names(site):
                homes.add(site.file.path)
        near = {one.path for home in homes for one in files.packages.near(home, files)}
        return [file for file in files if file.path in near]

    def _running(self) -> Iterator[tuple[Member, frozenset[Context]]]:
        for identity in sorted(self._contexts.functions()):
            contexts = frozenset(run.context for run in self._contexts.runs(identity))
            if contexts:
                yield Member(*self._calls.function(identity)), contexts

    def _set(self, one: Member, last: set[str]) -> Iterator[tuple[str, int]]:
        """What may set something, by its library name."""
        renamed = one.file.renamed
        for call in one.function.calls:
            if call.func.rpartition(".")[2] in last or call.func in renamed:
                for name in self._calls.library_names(Site(one.file, one.function, call)):
                    yield name, call.line
        for path, bits, line in one.function.touches:
            if bits & (Touch.WRITE | Touch.ITEM) and path.rpartition(".")[2] in last:
                for value in self._calls.names.meaning(one.file, one.function, path).values:
                    if value.sort is Sort.LIBRARY:
                        yield value.name, line

    def _used(self, kinds: Mapping[Unshared, str]) -> Iterator[tuple[Member, int]]:
        """Calls of such objects' methods in workers, and all others of the same objects' methods."""
        stores: dict[Store, None] = {}
        for one, contexts in self._running():
            for found, line in self._uses(one, kinds) if Context.THREAD in contexts else ():
                stores.update(dict.fromkeys(found))
                yield one, line
        for store in stores:
            for file, function, _ in self._calls.names.stores.users(store):
                one = Member(file, function)
                for call in function.calls:
                    used = self._kind(one, call.func) is not None and store in self._stores(one, call.func)
                    taken = call.func in TAKING and store in self._generators(one, *call.args[:1])
                    if used or taken:
                        yield one, call.line

    def _uses(self, one: Member, kinds: Mapping[Unshared, str]) -> Iterator[tuple[list[Store], int]]:
        """Where the objects are that the function uses, with the lines."""
        for call in one.function.calls:
            if self._kind(one, call.func) in kinds and (found := self._stores(one, call.func)):
                yield found, call.line
            for path in _written(call) if Unshared.WRITER in kinds else ():
                if self._kind(one, path + ".write") is not None and (found := self._stores(one, path + ".")):
                    yield found, call.line
            for path in call.args[:1] if Unshared.GENERATOR in kinds and call.func in TAKING else ():
                if found := self._generators(one, path):
                    yield found, call.line
        for _, path in one.function.binds if Unshared.GENERATOR in kinds else ():
            if path.endswith("[*]") and (found := self._generators(one, path[:-3])):
                yield found, one.function.line
        items = Unshared.ARRAY in kinds or Unshared.WIDGET in kinds
        for path, bits, line in one.function.touches if items else ():
            if bits & Touch.ITEM:
                yield self._stores(one, path + "."), line

    def _generators(self, one: Member, path: str = "") -> list[Store]:
        """Where the generator is from which something is taken."""
        if not path or "()" in path or "[" in path:
            return []
        values = self._calls.names.meaning(one.file, one.function, path).values
        return self._stores(one, path + ".") if any(value.name == GENERATOR for value in values) else []

    def _kind(self, one: Member, method: str) -> Unshared | None:
        """Of which kind the object is whose method is called, as far as its class is known."""
        owner, _, name = method.rpartition(".")
        if not owner or name in HARMLESS or "()" in owner:
            return None
        called = self._calls.names.meaning(one.file, one.function, method).values
        owners = [spelling.rpartition(".")[0] for value in called for spelling in self._calls.library_spellings(value)]
        kind = self._knowledge.unsafe(owners)
        return None if kind is Unshared.WRITER and name not in WRITING else kind

    def _stores(self, one: Member, method: str) -> list[Store]:
        """Where the object is, unless it is the function's own; for a worker's parameter, where it was."""
        path, seen = method.rpartition(".")[0], set[str]()
        while (store := self._calls.names.meaning(one.file, one.function, path).store) is not None:
            if store.sort != "local" or store.owner != one.identity:
                return [store.root]
            puts = [path for target, path in one.function.binds if target == store.path and path[:1] != ":"]
            if len(puts) != 1 or not puts[0][-1:].isidentifier() or store.path in seen:
                return self._given(store)
            seen.add(store.path)  # `items = items[:]` leads nowhere else
            path = puts[0]  # `window = self.window`
        return []

    def _given(self, store: Store) -> list[Store]:
        """Where the worker's parameter was, and itself; nothing where no worker is given it."""
        passed = self._calls.names.passed.get((store.owner, store.path), ())
        given = [self._calls.names.meaning(each.file, each.function, each.path).store for each in passed]
        return [store.root, *(each.root for each in given if each is not None)] if passed else []

    def _handed(self, kinds: Mapping[Unshared, str]) -> Iterator[tuple[Member, int]]:
        """Bound methods of such objects that threads are given to call."""
        spawners = self._knowledge.spawners
        starting = {name.rpartition(".")[2] for name, one in spawners.items() if one.context is Context.THREAD}
        starting.add("partial")  # somewhere inside such a call
        for file in self._calls.files:
            for name in sorted(starting & file.header.called):
                for function, call in self._calls.in_file(file, name):
                    one = Member(file, function)
                    given = (*call.args, *(path for _, path in call.keywords))
                    if any(self._kind(one, path) in kinds for path in given if "." in path):
                        yield one, call.line


def _written(call: CallFact) -> Iterator[str]:
    """The file that a call writes to which is given one."""
    for name, (word, position) in GIVEN.items():
        if call.func.rpartition(".")[2] == name.rpartition(".")[2]:
            given = keyword(call, word, position)
            if given:
                yield given
