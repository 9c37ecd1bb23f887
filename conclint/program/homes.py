"""Whose object a method works on: the way from something known to the receiver, so that two receivers can be compared.

A home is a chain: where the way begins (an object of a class as such, or a variable), then attribute after attribute.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from conclint.index.facts import FunctionFact
from conclint.program.calls import Calls, Site, is_base_call
from conclint.program.deeds import CONSTRUCTION
from conclint.program.files import File
from conclint.program.values import Reach, Store, Value, function_id, split_id

if TYPE_CHECKING:
    from conclint.program.spawns import Root

Home = tuple[str, ...]

# An object that started its own thread, and one that anybody may have made.
SELF, ANY = "self", "any"

SORTS = ("local", "global", "attribute")

# Longer ways are abandoned.
LONGEST = 4

# So many ways to one method tell nothing any more.
MOST_HOMES = 12


class Homes:
    """Answers for one program; `is_main` says whether a function may run in the main thread."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._names = calls.names
        self._main: dict[str, frozenset[Home]] = {}
        self._handed_on: dict[Store, Store] = {}

    def root(self, root: Root) -> Home:
        """The receiver of a start's target."""
        site, method = root.site, split_id(root.target)[1].rpartition(".")[2].partition("#")[0]
        given = (*site.call.args, *(path for _, path in site.call.keywords))
        found = [path.rpartition(".")[0] for path in given if path.rpartition(".")[2] == method and "." in path]
        if not root.owner:
            return ()
        return self.along((), site, found[0], root.owner) if found else (f"{SELF}:{root.owner}",)

    def along(self, home: Home, site: Site, receiver: str, cls: str) -> Home:
        """The home of what `receiver` denotes in a method whose own receiver's home is `home`."""
        params = site.function.params
        own = bool(site.function.owner and params and params[0].name == receiver) or receiver == "super()"
        if own or is_base_call(site):
            return self._narrowed(home, cls) or (f"{SELF}:{cls}",)
        meaning = self._names.meaning(site.file, site.function, receiver)
        if meaning.store is None:
            return (f"?:{site.file.path}:{site.call.line}",)
        key = self.key(self._handed(meaning.store))
        own = meaning.reach is Reach.SELF and key == _named(meaning.store)
        return (*home, key)[-LONGEST:] if own and home else (key,)

    def _handed(self, store: Store) -> Store:
        """The variable that every maker of such an object hands to it, if it is one."""
        known = self._handed_on.get(store)
        if known is None:
            put = self._put(store)
            by_maker = put is not None and put[1].name == "__init__" and bool(put[1].owner)
            given = self._names.injected.everywhere(*put) if put is not None and by_maker else None
            known = self._handed_on[store] = given or store
        return known

    def _put(self, store: Store) -> tuple[File, FunctionFact, str] | None:
        """Where an attribute gets what it holds, if that is one place."""
        puts = self._names.stores.puts(store) if store.sort == "attribute" else ()
        found = [put for put in puts if put[2][:1] not in ":="]
        return found[0] if len(found) == 1 else None

    def _narrowed(self, home: Home, cls: str) -> Home:
        """An object whose own method of the class `cls` runs is one of that class."""
        if len(home) != 1:
            return home
        kind, _, known = home[0].partition(":")
        narrower = kind in (SELF, ANY) and cls != known and known in self._names.classes.mro(cls)
        return (f"{kind}:{cls}",) if narrower else home

    def given(self, store: Store) -> Store | None:
        """What the constructor was given for the attribute, if all threads, or objects, made there get the same."""
        put = self._put(store)
        if put is None:
            return None
        file, function, path = put
        passed = self._names.passed.get((function_id(file.path, function.qualname), path), [])
        if function.name == "__init__" and function.owner and not passed:
            return self._names.injected.the_same(file, function, path)
        if function.name not in CONSTRUCTION or len(passed) != 1 or passed[0].reach is not Reach.SHARED:
            return None
        return self._names.meaning(passed[0].file, passed[0].function, passed[0].path).store

    def is_shared(self, site: Site) -> bool:
        """Whether the receiver of the call is an attribute that all threads of the class were given the same for."""
        meaning = self._names.meaning(site.file, site.function, site.call.func.rpartition(".")[0])
        return meaning.reach is Reach.SELF and meaning.store is not None and self._is_from_outside(meaning.store)

    def _is_from_outside(self, store: Store) -> bool:
        """Whether it is an attribute that only names what the constructor was given."""
        return store.sort == "attribute" and self.key(store) != _named(store)

    def key(self, store: Store) -> str:
        """The variable, or where the worker has its parameter or attribute from."""
        way = {store: None}
        while True:
            further = self._step(store)
            if isinstance(further, str):
                return further
            if further is None:
                return _named(store)
            if further in way:
                return min(map(_named, way))  # round in a circle: by one name, whoever asks
            store = further
            way[store] = None

    def _step(self, store: Store) -> Store | str | None:
        """One step of the way there: another variable, or an object of a class as such."""
        given = self.given(store)
        if given is not None and given != store:
            return given
        passed = self._names.passed.get((store.owner, store.path), []) if store.sort == "local" else []
        if len(passed) != 1:
            return None
        meaning = self._names.meaning(passed[0].file, passed[0].function, passed[0].path)
        if meaning.store is not None and meaning.store != store:
            return meaning.store
        return f"{ANY}:{meaning.values[0].name}" if meaning.reach is Reach.SELF and meaning.values else None

    def main(self, identity: str, is_main: Callable[[str], bool]) -> frozenset[Home]:
        """The receivers with which the main thread may call the method."""
        known = self._main.get(identity)
        if known is None:
            self._main[identity] = frozenset()  # a circle adds nothing
            known = self._main[identity] = frozenset(self._find(identity, is_main))
        return known

    def _find(self, identity: str, is_main: Callable[[str], bool]) -> set[Home]:
        _, function = self._calls.function(identity)
        owner = function_id(split_id(identity)[0], function.owner)
        callers = [site for site in self._calls.callers(identity) if is_main(site.caller)]
        if not callers:
            return {(f"{ANY}:{owner}",)}
        found: set[Home] = set()
        for site in callers[:MOST_HOMES]:
            for value in self._calls.targets(site.file, site.function, site.call.func):
                if value.name == identity:
                    found |= self._from(site, value, is_main)
        return set(sorted(found)[:MOST_HOMES])

    def _from(self, site: Site, value: Value, is_main: Callable[[str], bool]) -> set[Home]:
        receiver = site.call.func.rpartition(".")[0]
        if value.reach is not Reach.SELF and not is_base_call(site):
            return {self.along((), site, receiver, value.owner)}
        return {self.along(home, site, receiver, value.owner) for home in self.main(site.caller, is_main)}

    # -- comparing

    def classes(self, home: Home) -> tuple[str, ...]:
        """The classes of which the object can exactly be, where the home tells."""
        if len(home) != 1:
            return ()
        kind, _, cls = home[0].partition(":")
        return (
            (cls,) if kind in (SELF, ANY) else tuple(value.name for value in self._held(home[0]) if ":" in value.name)
        )

    def meet(self, one: Home, other: Home) -> bool:
        """Whether both can be the same object."""
        if not one or not other or one == other:
            return True
        return self._is_part(one, other) or (one[1:] == other[1:] and self._begin_alike(one[0], other[0]))

    @staticmethod
    def _is_part(one: Home, other: Home) -> bool:
        """Whether one is an attribute of whatever object, and the other that of a certain one."""
        short, long = sorted((one, other), key=len)
        return len(short) == 1 and short[0].startswith("attribute|") and long[-1] == short[0]

    def _begin_alike(self, one: str, other: str) -> bool:
        (kind, _, cls), (sort, _, other_cls) = one.partition(":"), other.partition(":")
        if kind in (SELF, ANY) and sort in (SELF, ANY):
            return other_cls in self._names.classes.mro(cls) or cls in self._names.classes.mro(other_cls)
        if kind in (SELF, ANY):
            return self._may_be(other, cls)
        return sort in (SELF, ANY) and self._may_be(one, other_cls)

    def _may_be(self, key: str, cls: str) -> bool:
        """Whether the variable can hold an object of exactly that class, or of one that derives from it."""
        if key.partition("|")[0] not in SORTS:
            return False
        held = self._held(key)
        return not held or any(value.name in self._names.classes.family(cls) for value in held)

    def _held(self, key: str) -> Sequence[Value]:
        sort, _, rest = key.partition("|")
        owner, _, path = rest.rpartition("|")
        return self._names.held(Store(sort, owner, path)) if sort in SORTS else []


def _named(store: Store) -> str:
    return f"{store.sort}|{store.owner}|{store.path}"
