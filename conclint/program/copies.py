"""Objects that own a lock and are copied or pickled, which locks do not stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from conclint.knowledge.kinds import Context
from conclint.program.calls import Site
from conclint.program.testfiles import is_test
from conclint.program.values import Sort, Store

if TYPE_CHECKING:
    from conclint.program.linking import Program

# docs.python.org/3/library/copy.html, pickle.html: these copy or pickle the object's attributes one by one
COPYING = {"copy.deepcopy": "deepcopy", "pickle.dumps": "dumps", "pickle.dump": "dump"}

# Whoever has one of these says itself what becomes of its attributes.
OWN_WAYS = ("__getstate__", "__reduce__", "__reduce_ex__", "__deepcopy__", "__getnewargs_ex__", "__copy__")


class Copied(NamedTuple):
    """`site` copies an object of `cls`, whose `attribute` is a lock, made at `made`."""

    site: Site
    how: str
    cls: str
    attribute: str
    made: Site


class Copies:
    """Finds those of one program."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._locks: dict[str, tuple[str, Site] | None] = {}

    def all(self) -> Iterator[Copied]:
        """Every call that copies such an object."""
        for name, last in COPYING.items():
            for file in self._program.files:
                called = {one.name for one in file.header.imports if one.target == name} | {last}
                for spelled in sorted(called & file.header.called):
                    for function, call in file.body.functions.calling(spelled):
                        yield from self._copied(Site(file, function, call), name)

    def _copied(self, site: Site, name: str) -> Iterator[Copied]:
        if not site.call.args or is_test(site.file.path) or name not in self._program.calls.library_names(site):
            return
        values = self._program.names.meaning(site.file, site.function, site.call.args[0]).values
        classes = [value.name for value in values if value.sort is Sort.INSTANCE]
        if len(classes) == 1 and ":" in classes[0] and (found := self._lock_of(classes[0])) is not None:
            yield Copied(site, name, classes[0], *found)

    def _lock_of(self, cls: str) -> tuple[str, Site] | None:
        """The first attribute of an object of the class that is always a lock, and where it is made."""
        if cls not in self._locks:
            self._locks[cls] = None if self._has_own_way(cls) else next(self._find_locks(cls), None)
        return self._locks[cls]

    def _has_own_way(self, cls: str) -> bool:
        known = self._program.names.classes.mro(cls)
        plain = all(":" in one or one == "builtins.object" for one in known)
        return not plain or any(self._program.calls.method(cls, name) for name in OWN_WAYS)

    def _find_locks(self, cls: str) -> Iterator[tuple[str, Site]]:
        names = self._program.names
        for base in names.classes.mro(cls):
            for attribute in sorted(names.classes.attributes(base)) if ":" in base else ():
                store = Store("attribute", names.classes.attribute_owner(base, attribute), attribute)
                made = self._made(store)
                if made is not None and not names.stores.of_class(store):
                    yield attribute, made

    def _made(self, store: Store) -> Site | None:
        """Where the lock is made; None where the attribute can hold something else."""
        puts = list(self._program.names.stores.puts(store))
        sites = [
            self._maker(Site(file, function, call), store, path)
            for file, function, path in puts
            for call in function.calls
            if call.func + "()" == path
        ]
        found = [site for site in sites if site is not None]
        return found[0] if found and len({path for _, _, path in puts}) == 1 else None

    def _maker(self, site: Site, store: Store, path: str) -> Site | None:
        goes = any(goal.rpartition(".")[2] == store.path for goal in site.call.goes)
        knowledge = self._program.options.knowledge
        kinds = (knowledge.locks.get(name) for name in self._program.calls.library_names(site))
        names = self._program.calls.library_names(site)
        threads = any(kind is not None and kind.among is Context.THREAD for kind in kinds)
        return site if goes and threads and any(name.startswith("threading.") for name in names) else None
