"""Classes whose objects are copied or pickled, attribute by attribute: which a lock among them would not stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from conclint.knowledge.kinds import Context
from conclint.knowledge.pickling import TAKING_APART
from conclint.knowledge.starting import MAPS
from conclint.program.arguments import partial_of, spawned
from conclint.program.calls import Calls, Site
from conclint.program.spawns import Root
from conclint.program.values import Sort, Store, Value, split_id


class TakenApart:
    """Answers for one program; asked only where a fix wants to give a class a lock."""

    def __init__(self, calls: Calls, roots: Sequence[Root]) -> None:
        self._calls = calls
        self._names = calls.names
        self._roots = roots

    def of_file(self, path: str) -> tuple[str, ...]:
        """Those of the file's classes."""
        return self._by_file.get(path, ())

    @cached_property
    def _by_file(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for cls in sorted(self._classes()):
            path = split_id(cls)[0]
            found[path] = (*found.get(path, ()), cls)
        return found

    def _classes(self) -> dict[str, None]:
        """With all that they derive from, that derives from them, and that their attributes hold."""
        found: dict[str, None] = {}
        waiting = [*self._copied(), *self._sent()]
        while waiting:
            cls = waiting.pop()
            if cls not in found:
                found[cls] = None
                relatives = (*self._names.classes.mro(cls), *self._names.classes.family(cls))
                waiting += (one for one in relatives if ":" in one)
                waiting += self._parts(cls)
        return found

    def _copied(self) -> Iterator[str]:
        """What is given to `copy.deepcopy`, `pickle.dumps`, a queue between processes."""
        last = {name.rpartition(".")[2] for name in TAKING_APART}
        for file in self._calls.files:
            renamed = {one.name for one in file.header.imports if one.target in TAKING_APART}
            for name in sorted((last | renamed) & file.header.called):
                for function, call in self._calls.in_file(file, name):
                    site = Site(file, function, call)
                    if call.args and TAKING_APART & self._calls.library_names(site):
                        yield from self._given(site, call.args[0])

    def _sent(self) -> Iterator[str]:
        """What the program's processes are given: arguments, items of what is mapped over, the object of a method."""
        for root in self._roots:
            if root.context is Context.PROCESS:
                if root.owner:
                    yield root.owner
                first, rest = partial_of(root.site), spawned(root.site)
                items = root.site.call.args if root.how.rpartition(".")[2] in MAPS else ()
                for path in (*first.positional, *rest.positional, *items):
                    yield from self._given(root.site, path)
                for _, path in (*first.keywords, *rest.keywords):
                    yield from self._given(root.site, path)

    def _given(self, site: Site, path: str) -> Iterator[str]:
        """The classes of what the path means, and of its items."""
        for spelled in (path, path + "[*]") if path and path[0] not in "=$*" else ():
            yield from _own(self._names.meaning(site.file, site.function, spelled).values)

    def _parts(self, cls: str) -> Iterator[str]:
        for attribute in sorted(self._names.classes.attributes(cls)):
            owner = self._names.classes.attribute_owner(cls, attribute)
            for spelled in (attribute, attribute + "[]"):
                yield from _own(self._names.held(Store("attribute", owner, spelled)))


def _own(values: Sequence[Value]) -> Iterator[str]:
    return (value.name for value in values if value.sort is Sort.INSTANCE and ":" in value.name)
