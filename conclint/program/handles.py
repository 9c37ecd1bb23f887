"""What becomes of a handle: where a thread, process, timer or pool goes after it was made, and what is done to it there.

Followed flow-insensitively through variables, containers, attributes, parameters and returns, over files.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from conclint.index.facts import CallFact, FunctionFact, Touch
from conclint.program.calls import Calls, Site
from conclint.program.files import File
from conclint.program.values import Store, function_id, split_id

# After so many places a handle is everybody's.
MOST_HOLDERS = 60

# Methods by which somebody far away ends or awaits what a handle stands for.
ENDINGS = ("join", "shutdown", "close", "terminate", "cancel", "kill", "stop", "wait", "result", "is_alive")


class Use(NamedTuple):
    """A method called on the handle."""

    method: str
    site: Site


class Fate(NamedTuple):
    """What the program does with one handle.

    `escapes` says how it leaves what can be followed: "returned", "yielded", "passed", "stored".  `stores` are the
    variables and attributes that hold it (`threads[]`: a container's items).
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
        self._names = calls.names

    def fate(self, site: Site) -> Fate:
        """The fate of the result of the call."""
        return _Search(self._calls, site).run()


class _Search:
    """One handle's journey: a worklist of the stores that hold it."""

    def __init__(self, calls: Calls, site: Site) -> None:
        self._calls = calls
        self._names = calls.names
        self._site = site
        self._uses: dict[Use, None] = {}
        self._escapes: set[str] = set()
        self._stores: dict[Store, None] = {}
        self._daemon = _daemon(site.call)

    def run(self) -> Fate:
        self._goes(self._site.file, self._site.function, self._site.call, "")
        for store in _growing(self._stores):
            if len(self._stores) > MOST_HOLDERS:
                self._escapes.add("stored")
                break
            self._held_in(store)
        return Fate(tuple(self._uses), frozenset(self._escapes), tuple(self._stores), self._daemon)

    def _goes(self, file: File, function: FunctionFact, call: CallFact, step: str) -> None:
        """Where the result of a call goes, reached by `step` from there (`[]` for a container of handles)."""
        site = Site(file, function, call)
        for goal in call.goes:
            if goal.startswith("$return"):
                self._returned(function_id(file.path, function.qualname), goal[len("$return") :] + step)
            elif goal == "$yield":
                self._escapes.add("yielded")
            elif goal == "$with":
                self._uses[Use("__enter__", site)] = None
            elif goal == "$arg":
                self._passed_inline(site)
            elif goal.startswith("$attr."):
                if not step:
                    self._uses[Use(goal[len("$attr.") :], site)] = None
            elif goal != "$drop":
                self._put(file, function, goal + step)

    def _put(self, file: File, function: FunctionFact, path: str) -> None:
        store = self._names.meaning(file, function, path.replace("[*]", "[]")).store
        if store is None:
            self._escapes.add("stored")
        else:
            self._stores[store] = None

    def _held_in(self, store: Store) -> None:
        for file, function, prefix in self._names.users(store):
            self._used_by(file, function, prefix + store.path)
        if store.sort == "attribute":
            if not store.path.startswith("_"):
                self._escapes.add("public")
            for method in ENDINGS:
                self._used_from_afar(store, method)
        if store.sort == "global":
            self._used_by_importers(store)

    def _used_by_importers(self, store: Store) -> None:
        for method in (*ENDINGS, "start"):
            for site in self._calls.calls_named(method):
                owner = site.call.func.rpartition(".")[0]
                if site.file.path != store.owner and owner.rpartition(".")[2] == store.path:
                    if self._names.meaning(site.file, site.function, owner).store == store:
                        self._uses[Use(method, site)] = None

    def _used_from_afar(self, store: Store, method: str) -> None:
        """`other.attribute.join()`: counted also where the type of `other` is not known."""
        tail = f".{store.path}.{method}"
        for site in self._calls.calls_named(method):
            if site.call.func.endswith(tail):
                self._uses[Use(method, site)] = None

    def _used_by(self, file: File, function: FunctionFact, spelled: str) -> None:
        here = function_id(file.path, function.qualname)
        for call in function.calls:
            func = call.func.replace("[*]", "[]")
            if func.startswith(spelled + "."):
                self._method(Site(file, function, call), func[len(spelled) + 1 :])
            for place, arg in enumerate(call.args):
                step = _step(spelled, arg)
                if step is not None:
                    self._passed(Site(file, function, call), place, "", step)
            for word, arg in call.keywords:
                step = _step(spelled, arg)
                if step is not None:
                    self._passed(Site(file, function, call), None, word, step)
        for target, path in function.binds:
            step = _step(spelled, path) if path != target else None
            if step is not None:
                self._put(file, function, target + step)
            elif path.replace("[*]", "[]") == spelled + ".__enter__()":
                self._put(file, function, target)
        for path in function.returns:
            step = _step(spelled, path)
            if step is not None:
                self._returned(here, step)
        for path, bits, _ in function.touches:
            if path == spelled + ".daemon" and bits & Touch.WRITE:
                self._daemon = True

    def _method(self, site: Site, method: str) -> None:
        if "." in method or not method.isidentifier():
            return
        self._uses[Use(method, site)] = None
        if method == "setDaemon":
            self._daemon = True
        for value in self._calls.targets(site.file, site.function, site.call.func):
            # A method of the handle's own class (`worker.stop()`): what it does to `self` is done to the handle.
            file, function = self._calls.function(value.name)
            receiver = function.params[0].name if function.params else ""
            for call in function.calls:
                if receiver and call.func.startswith(receiver + ".") and call.func.count(".") == 1:
                    self._uses[Use(call.func.partition(".")[2], Site(file, function, call))] = None

    def _passed(self, site: Site, place: int | None, word: str, step: str) -> None:
        values = self._calls.targets(site.file, site.function, site.call.func)
        last = site.call.func.rpartition(".")[2]
        if not values:
            if last not in ("append", "add", "insert", "appendleft", "len", "print", "bool", "id", "repr", "str", "isinstance", "discard", "remove"):
                self._escapes.add("passed")
            return
        for value in values:
            path, qualname = split_id(value.name)
            function = self._names.files[path].body.functions[qualname]
            params = [param for param in function.params if not param.kind.startswith("*")]
            offset = 1 if value.owner and "staticmethod" not in function.decorators else 0
            chosen = params[place + offset : place + offset + 1] if place is not None else [p for p in params if p.name == word]
            if chosen:
                self._stores[Store("local", value.name, chosen[0].name + step)] = None
            else:
                self._escapes.add("passed")

    def _passed_inline(self, site: Site) -> None:
        """`f(Thread(…))`: the enclosing call is the next one whose arguments hold this call's path."""
        made = site.call.func + "()"
        for call in site.function.calls:
            near = abs(call.line - site.call.line) <= 3
            if near and made in call.args:
                self._passed(Site(site.file, site.function, call), call.args.index(made), "", "")
                return
            for word, path in call.keywords:
                if near and path == made:
                    self._passed(Site(site.file, site.function, call), None, word, "")
                    return
        self._escapes.add("passed")

    def _returned(self, identity: str, step: str) -> None:
        callers = self._calls.callers(identity)
        if not callers:
            self._escapes.add("returned")
        for site in callers:
            self._goes(site.file, site.function, site.call, step)


def _step(spelled: str, path: str) -> str | None:
    """What is left of `spelled` behind `path`: "" for the handle itself, `[]` for a container of it; None: no match."""
    if not path or path[0] in "$:=":
        return None
    path = path.replace("[*]", "[]")
    if path == spelled:
        return ""
    if spelled.startswith(path) and spelled[len(path)] in "[.":
        rest = spelled[len(path) :]
        return rest if rest[0] == "[" or rest[1:2].isdigit() else None
    return None


def _daemon(call: CallFact) -> bool | None:
    for word, path in call.keywords:
        if word == "daemon":
            return path != "=False" if path in ("=True", "=False") else None
    return False


def _growing(stores: dict[Store, None]) -> Iterator[Store]:
    """All stores, those too that are added on the way."""
    done: set[Store] = set()
    while fresh := [store for store in stores if store not in done]:
        for store in fresh:
            done.add(store)
            yield store
