"""What becomes of a handle: where a thread, process, timer or pool goes once it is made, and what is done to it there.

Followed flow-insensitively through variables, containers, attributes, parameters and returns, over files: what is done
somewhere, at some time.  For what surely was done before, see `source.typestate`; for what it does, `knowledge.lives`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from conclint.index.facts import CallFact, FunctionFact, Touch
from conclint.knowledge.caching import KEEPING
from conclint.knowledge.handles import BORROWS, CONTAINER, ENDINGS, WATCHED
from conclint.program.calls import Calls, Site
from conclint.program.daemons import SAID, by_class, by_constructor, by_keywords
from conclint.program.files import File
from conclint.program.mentions import FIELD, Mentions, plain
from conclint.program.values import Sort, Store, function_id, module_name, split_id

# After so many places a handle is everybody's.
MOST_HOLDERS = 60


class Use(NamedTuple):
    """A method called on the handle, or taken from it to be called later."""

    method: str
    site: Site


class Fate(NamedTuple):
    """What the program does with one handle.

    `escapes` says how it leaves what can be followed: "returned", "yielded", "passed", "stored", "public" (an
    attribute that anybody may look at), "captured" (a nested function has it too).  `stores` are the variables and
    attributes that hold it (`threads[]`: a container's items).
    """

    uses: tuple[Use, ...]
    escapes: frozenset[str]
    stores: tuple[Store, ...]
    daemon: bool | None

    def does(self, *methods: str) -> bool:
        """Whether one of the methods is called on it somewhere."""
        return any(use.method in methods for use in self.uses)

    def sites(self, *methods: str) -> tuple[Site, ...]:
        """Where one of the methods is called on it."""
        return tuple(use.site for use in self.uses if use.method in methods)


class Handles:
    """Follows handles; `fate(site)` asks what becomes of what the call at `site` makes."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._known: dict[tuple[str, CallFact], Fate] = {}
        self._mentions: dict[str, Mentions] = {}

    def fate(self, site: Site) -> Fate:
        """The fate of the result of the call."""
        key = (site.file.path, site.call)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = _Search(self._calls, site, self._mentions).run()
        return known


class _Search:
    """One handle's journey: a worklist of the stores that hold it."""

    def __init__(self, calls: Calls, site: Site, mentions: dict[str, Mentions]) -> None:
        self._mentions = mentions  # by function
        self._calls = calls
        self._names = calls.names
        self._site = site
        self._uses: dict[Use, None] = {}
        self._escapes: set[str] = set()
        self._stores: dict[Store, None] = {}
        self._receivers: set[Store] = set()
        self._returned_by: dict[tuple[str, str], bool] = {}  # function and step: whether it was followed
        self._daemon = by_keywords(site.call.keywords)

    def run(self) -> Fate:
        self._constructed()
        self._goes(self._site.file, self._site.function, self._site.call, "")
        self._follow_returns()
        for store in _growing(self._stores):
            if len(self._stores) > MOST_HOLDERS:
                self._escapes.add("stored")
                break
            self._held_in(store)
            self._follow_returns()
        stores = tuple(store for store in self._stores if store not in self._receivers)
        return Fate(tuple(self._uses), frozenset(self._escapes), stores, self._daemon)

    def _constructed(self) -> None:
        """An object of a class of the program: its constructor has it first, and may start it."""
        for value in self._calls.meaning(self._site).values:
            if value.sort is Sort.CLASS:
                for method in ("__init__", "run"):
                    if identity := self._calls.method(value.name, method):
                        self._receives(identity)
                        self._daemon = self._daemon or by_constructor(self._calls.function(identity)[1])
                self._daemon = self._daemon or by_class(self._calls, value.name)

    def _receives(self, identity: str) -> None:
        """A method of the handle's own class: what it does to `self` is done to the handle."""
        _, function = self._calls.function(identity)
        if function.params:
            receiver = Store("local", identity, function.params[0].name)
            self._receivers.add(receiver)
            self._stores[receiver] = None

    # -- where it goes

    def _goes(self, file: File, function: FunctionFact, call: CallFact, step: str) -> None:
        """Where the result of a call goes, reached by `step` from there (`[]` for a container of handles)."""
        site = Site(file, function, call)
        for goal in call.goes:
            if goal.startswith("$return"):
                self._returned(function_id(file.path, function.qualname), goal[len("$return") :] + step)
            elif goal.startswith("$yield"):
                self._escapes.add("yielded")
            elif goal == "$with":
                self._uses[Use("__enter__", site)] = None
            elif goal.startswith("$arg"):
                self._passed_inline(site, goal[len("$arg") :] + step)
            elif goal.startswith("$attr."):
                if not step:
                    self._method(site, goal[len("$attr.") :])
            elif goal != "$drop":
                self._put(file, function, goal + step)

    def _put(self, file: File, function: FunctionFact, path: str) -> None:
        if path.startswith("$return"):
            self._returned(function_id(file.path, function.qualname), path[len("$return") :])
            return
        if path.startswith("$yield"):
            self._escapes.add("yielded")
            return
        store = self._names.meaning(file, function, path.replace("[*]", "[]")).store
        if store is None:
            self._escapes.add("stored")
        else:
            self._stores[store._replace(path=plain(store.path))] = None

    def _returned(self, identity: str, step: str) -> None:
        names = (path.removesuffix("()").rpartition(".")[2] for path in self._calls.function(identity)[1].decorators)
        if any(KEEPING.search(name) for name in names):
            self._escapes.add("stored")
        self._returned_by.setdefault((identity, step), False)

    def _follow_returns(self) -> None:
        """To the callers, and on from there, where they return it too."""
        while fresh := [key for key, followed in self._returned_by.items() if not followed]:
            for key in fresh:
                self._returned_by[key] = True
                self._return_to_callers(*key)

    def _return_to_callers(self, identity: str, step: str) -> None:
        callers = self._calls.callers(identity)
        if not callers:
            self._escapes.add("returned")
        for site in callers:
            self._goes(site.file, site.function, site.call, step)
            if step:
                self._used_by(site.file, site.function, f"{plain(site.call.func)}(){plain(step)}")

    # -- who has it

    def _held_in(self, store: Store) -> None:
        for file, function, prefix in self._names.stores.users(store):
            for path in dict.fromkeys((store.path, FIELD.sub("[]", store.path))):
                self._used_by(file, function, prefix + path)
            if store.sort == "local" and function_id(file.path, function.qualname) != store.owner:
                self._escapes.add("captured")
        if store.sort == "attribute":
            if not store.path.startswith("_"):
                self._escapes.add("public")
            if self._reached_by_name(store):
                self._escapes.add("stored")
            self._used_by_neighbours(store)
            for method in sorted(ENDINGS):
                self._used_from_afar(store, method)
        if store.sort == "global":
            self._used_by_importers(store)

    def _reached_by_name(self, store: Store) -> bool:
        """`getattr(self, name)` in its class may mean any attribute."""
        path, qualname = split_id(store.owner)
        asked = self._calls.in_file(self._names.files[path], "getattr")
        own = ((one.params[0].name, call.args) for one, call in asked if one.owner == qualname and one.params)
        return any(args[:1] == (name,) and args[1:2] != ("",) for name, args in own)

    def _used_by_neighbours(self, store: Store) -> None:
        """The rest of the file may reach the attribute through another name than `self`."""
        name = store.root.path
        file = self._names.files[split_id(store.owner)[0]]
        own = {(function.qualname, prefix + name) for _, function, prefix in self._names.stores.users(store)}
        for qualname, paths in file.body.functions.touching(name):
            function = file.body.functions[qualname]
            for path in paths:
                there = self._names.meaning(file, function, path).store
                if path != name and (qualname, path) not in own and there in (None, store.root):
                    self._used_by(file, function, path.removesuffix(name) + store.path)

    def _used_by_importers(self, store: Store) -> None:
        """Other files that import the global, or its module."""
        head, rest = store.root.path, store.path.removeprefix(store.root.path)
        module = module_name(store.owner)
        for file in self._names.files.importing(head, module, near=split_id(store.owner)[0]):
            for one in file.header.imports if file.path != store.owner else ():
                paths = (one.name, f"{one.name}.{head}")
                for qualname in file.body.functions.mentioning(one.name) if one.name else ():
                    function = file.body.functions[qualname]
                    for path in paths:
                        if self._names.meaning(file, function, path).store == store.root:
                            self._used_by(file, function, path + rest)

    def _used_from_afar(self, store: Store, method: str) -> None:
        """`other.attribute.join()`: counted also where the type of `other` is not known."""
        for site in self._calls.calls_on(store.path, method):
            there = self._names.meaning(site.file, site.function, site.call.func.rpartition(".")[0]).store
            if there is None or there.root == store.root:  # another class has an attribute of this name too
                self._uses[Use(method, site)] = None

    def _used_by(self, file: File, function: FunctionFact, spelled: str) -> None:
        key = function_id(file.path, function.qualname)
        if key not in self._mentions:
            self._mentions[key] = Mentions(function)
        part = self._mentions[key].of(spelled)
        for call in part.calls:
            func = plain(call.func)
            if func.startswith(spelled + "."):
                self._method(Site(file, function, call), func[len(spelled) + 1 :])
            self._used_as_argument(Site(file, function, call), spelled)
        for target, path in part.binds:
            step = _step(spelled, path) if path != target else None
            if step is not None:
                self._put(file, function, target + step)
            elif plain(path) == spelled + ".__enter__()":
                self._put(file, function, target)
            elif target == spelled + ".daemon":
                self._daemon = SAID.get(path)
        for path in part.returns:
            step = _step(spelled, path)
            if step is not None:
                self._returned(key, step)
        for path, bits, line in part.touches:
            self._touched(file, function, path, spelled, bits=bits, line=line)

    def _touched(self, file: File, function: FunctionFact, path: str, spelled: str, *, bits: int, line: int) -> None:
        """`thread.join` without a call: somebody else is to call it; `process.exitcode`: somebody waits for it."""
        name = plain(path)[len(spelled) + 1 :]
        if bits & Touch.READ and name in WATCHED and plain(path) == f"{spelled}.{name}":
            self._uses[Use(name, Site(file, function, CallFact(path, line, 1, (), (), 0, ())))] = None

    def _used_as_argument(self, site: Site, spelled: str) -> None:
        for place, arg in enumerate(site.call.args):
            step = _step(spelled, arg)
            if step is not None:
                self._passed(site, place, "", step)
            elif arg == "*" and spelled.endswith("[]"):
                self._passed(site, place, "", "")
        for word, arg in site.call.keywords:
            step = _step(spelled, arg)
            if step is not None:
                self._passed(site, None, word, step)

    # -- what is done to it

    def _method(self, site: Site, method: str) -> None:
        if not method.isidentifier():
            return
        self._uses[Use(method, site)] = None
        if method == "setDaemon":
            self._daemon = site.call.args == ("=True",) or None
        for value in self._calls.targets(site.file, site.function, site.call.func):
            if value.owner:
                self._receives(value.name)

    def _passed(self, site: Site, place: int | None, word: str, step: str) -> None:
        values = self._calls.targets(site.file, site.function, site.call.func)
        if not values:
            self._given_away(site, place, step)
        for value in values:
            path, qualname = split_id(value.name)
            function = self._names.files[path].body.functions[qualname]
            params = [param for param in function.params if not param.kind.startswith("*")]
            offset = 1 if value.owner and "staticmethod" not in function.decorators else 0
            if place is None:
                chosen = [param for param in params if param.name == word]
            else:
                chosen = params[place + offset :][:1] if site.call.args[place] != "*" else []
            if chosen:
                self._stores[Store("local", value.name, chosen[0].name + step)] = None
            else:
                self._escapes.add("passed")

    def _given_away(self, site: Site, place: int | None, step: str) -> None:
        """To code that cannot be seen, unless that only looks at it, or is a base's: `Thread.__init__(self)`."""
        owner, _, last = site.call.func.rpartition(".")
        if owner and last in CONTAINER:
            if last in ("extend", "update") and step:
                self._put(site.file, site.function, owner + step)
            return
        if last == "map" and site.call.args[:1] and place:
            called = site.call.args[0].rpartition(".")[2]
            self._uses[Use(called, site)] = None
        elif not ((last == "__init__" and place == 0) or BORROWS & self._calls.library_names(site)):
            self._escapes.add("passed")

    def _passed_inline(self, site: Site, step: str) -> None:
        """`f(Thread(…))`: the enclosing call is the next one whose arguments hold this call's path."""
        made = site.call.func + "()"
        for call in site.function.calls:
            if abs(call.line - site.call.line) <= 3:
                if made in call.args:
                    return self._passed(Site(site.file, site.function, call), call.args.index(made), "", step)
                for word, path in call.keywords:
                    if path == made:
                        return self._passed(Site(site.file, site.function, call), None, word, step)
        self._escapes.add("passed")
        return None


def _step(spelled: str, path: str) -> str | None:
    """What is left of `spelled` behind `path`: "" for the handle itself, `[]` for a container of it; None: no match."""
    if not path or path[0] in "$:=":
        return None
    path = plain(path)
    if path == spelled or FIELD.sub("[]", path) == spelled:
        return ""
    if spelled.startswith(path) and spelled[len(path)] in "[.":
        rest = spelled[len(path) :]
        return rest if rest[0] == "[" or rest[1:2].isdigit() else None
    return None


def _growing(stores: dict[Store, None]) -> Iterator[Store]:
    """All stores, those too that are added on the way."""
    done: set[Store] = set()
    while fresh := [store for store in stores if store not in done]:
        for store in fresh:
            done.add(store)
            yield store
