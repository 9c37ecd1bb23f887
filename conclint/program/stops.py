"""Whether somebody tells running code to stop: sets the flag that it asks, sends the last word, ends its owner."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from conclint.index.facts import CallFact, FunctionFact, Touch
from conclint.knowledge.handles import LAST_METHODS
from conclint.program.calls import Calls, Site
from conclint.program.files import File
from conclint.program.spawns import Root
from conclint.program.startsites import keyword
from conclint.program.values import Store, function_id, split_id

# A loop that asks one of these whether to go on, directly or a few calls further down.
ASKS = frozenset({"is_set", "isSet", "wait"})
TELLS = frozenset({"set", "clear", "abort", "cancel", "kill", "wakeup", "notify", "notify_all", *LAST_METHODS})
TAKES = frozenset({"get", "get_nowait", "popleft", "pop", "recv", "accept", "read", "readline", "poll", "select"})
# What counts the work that is under way: who looks at it waits for its end.
COUNTS = ("unfinished_tasks", "all_tasks_done")

# What running code says when it is done, and how others wait for that.
REPORTS = frozenset({"set", "set_result", "set_exception", "release", "notify", "notify_all", "put", "put_nowait"})
AWAITS = frozenset({"wait", "wait_for", "result", "acquire", "is_set", "get", "get_nowait"})
RUNS = frozenset({"start", "run", "serve", "serve_forever", "run_forever", "listen", "mainloop", "start_consuming"})
SENDS = frozenset({"put", "put_nowait", "append", "appendleft", "send", "send_bytes"})

# What is set before anything runs tells nobody to stop.
BEFORE = frozenset({"__init__", "__new__", ""})

# What gives all threads there are.
ALL_THREADS = frozenset({"threading.enumerate", "threading.active_count"})
COUNTED = ("enumerate", "active_count")

WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")

# In the name of a function that ends what started it.
ENDERS = frozenset({"shutdown", "restart", "exit", "quit", "halt", "reboot", "stop", "terminate", "kill"})

# Callees of callees are asked so deep what they wait for.
DEEPEST = 3
MOST_REACHED = 60


Saying = Callable[[FunctionFact], Iterator[str]]
Doing = Callable[[FunctionFact, str], bool]


class Stops:
    """Answers `told(site, targets)`."""

    def __init__(self, calls: Calls, roots: Iterable[Root]) -> None:
        self._calls = calls
        self._names = calls.names
        self._known: dict[str, bool] = {}
        self._starts: dict[str, list[Site]] = {}
        for root in roots:
            self._starts.setdefault(root.target, []).append(root.site)

    def told(self, site: Site, targets: tuple[str, ...]) -> bool:
        """Whether somebody stops what the thread or process made at `site` runs, or waits for all there are."""
        if any(self._told(target) for target in targets) or self._owner_ended(site):
            return True
        return _ends_others(site.call, targets) or self._all_awaited(site)

    def _all_awaited(self, site: Site) -> bool:
        """`threading.enumerate()` near it, or `multiprocessing.active_children()`, which joins those that ended."""
        made = self._calls.library_names(site)
        if "threading.Thread" in made:
            near = (Site(site.file, *one) for name in COUNTED for one in self._calls.in_file(site.file, name))
            return any(ALL_THREADS & self._calls.library_names(one) for one in near)
        return "multiprocessing.Process" in made and any(
            "multiprocessing.active_children" in self._calls.library_names(one)
            for one in self._calls.calls_named("active_children")
        )

    def _told(self, identity: str) -> bool:
        """Whether another function changes what this one asks before it goes on, or awaits what it says in the end."""
        known = self._known.get(identity)
        if known is None:
            inside = self._reached(identity)
            known = self._somebody(inside, _questions, _changes) or self._asks_what_it_was_given(inside)
            _, function = self._calls.function(identity)
            if not known and not any(target == "$while" for target, _ in function.binds):
                known = self._somebody(inside, _reports, _awaits)
            self._known[identity] = known
        return known

    def _somebody(self, inside: set[str], said: Saying, does: Doing) -> bool:
        """Whether a function outside does something to the state that one of those inside speaks of."""
        spoken = self._spoken_of(inside, said)
        spoken |= {origin for store in spoken for origin in self.origins(store)}
        return any(self._done(store, inside, does) for store in spoken)

    def _owner_ended(self, site: Site) -> bool:
        """`Thread(target=server.serve)` and somewhere `server.stop()`, whatever `server` is."""
        owner, _, _ = keyword(site.call, "target", 1).rpartition(".")
        if owner in ("", "self", "cls"):
            return False
        last = owner.rpartition(".")[2]
        return any(
            call.func.rpartition(".")[0].rpartition(".")[2] == last
            for method in TELLS
            for _, call in self._calls.in_file(site.file, method)
        )

    def _reached(self, identity: str) -> set[str]:
        """The function and those that it calls, near ones only."""
        found, fresh = {identity}, [identity]
        for _ in range(DEEPEST):
            called: list[str] = []
            for one in fresh:
                file, function = self._calls.function(one)
                for call in function.calls:
                    called += (value.name for value in self._calls.targets(file, function, call.func))
            fresh = [one for one in dict.fromkeys(called) if one not in found][: max(MOST_REACHED - len(found), 0)]
            found.update(fresh)
        return found

    # -- what it speaks of

    def _asks_what_it_was_given(self, inside: set[str]) -> bool:
        """Whether it asks an event that somebody handed in: for what else?"""
        for identity in inside:
            file, function = self._calls.function(identity)
            for path in _events(function):
                store = self._names.meaning(file, function, path).store
                if store is None:
                    continue
                handed = [store, *(origin for origin in self.origins(store) if origin.sort == "local")]
                if any(self._is_parameter(one) for one in handed):
                    return True
        return False

    def _is_parameter(self, store: Store) -> bool:
        if store.sort != "local":
            return False
        _, function = self._calls.function(store.owner)
        return _given(function, store.path)

    def _spoken_of(self, inside: set[str], said: Saying) -> set[Store]:
        """The state that others may know too."""
        found: set[Store] = set()
        for identity in inside:
            file, function = self._calls.function(identity)
            for path in said(function):
                store = self._names.meaning(file, function, path).store
                own = store is not None and store.sort == "local" and store.owner == identity
                if store is not None and (not own or _given(function, path)):
                    found.add(store)
        return found

    def origins(self, store: Store) -> Iterator[Store]:
        """What a constructor or a starter was given: the same event under the giver's name."""
        for file, function, path in self._names.stores.puts(store) if store.sort == "attribute" else ():
            given = self._names.meaning(file, function, path).store
            if given is not None:
                yield given
                yield from self._arguments(given)
        yield from self._arguments(store)

    def _arguments(self, store: Store) -> Iterator[Store]:
        """What callers pass for a parameter."""
        if store.sort != "local":
            return
        _, function = self._calls.function(store.owner)
        names = [param.name for param in function.params]
        if store.path not in names:
            return
        place = names.index(store.path) - (1 if function.owner else 0)
        sites = [(site, f"args.{place}", f"kwargs.{store.path}") for site in self._starts.get(store.owner, ())]
        sites += [(site, store.path, "") for site in self._calls.callers(store.owner)]
        for site, word, other in sites:
            path = keyword(site.call, word, None if other else place) or keyword(site.call, other, None)
            given = self._names.meaning(site.file, site.function, path).store if path else None
            if given is not None:
                yield given

    # -- who answers

    def _done(self, store: Store, inside: set[str], does: Doing) -> bool:
        _, qualname = split_id(store.owner)
        for file, function, prefix in self._names.stores.users(store):
            if function_id(file.path, function.qualname) in inside:
                continue
            local = store.sort == "local"
            later = function.qualname.startswith(qualname) if local else function.name not in BEFORE
            spelled = prefix + store.path
            if later and (does(function, spelled) or self._by_callee(file, function, spelled, does)):
                return True
        return False

    def _by_callee(self, file: File, function: FunctionFact, spelled: str, does: Doing) -> bool:
        """Whether a function that is handed the state does it."""
        for call in function.calls:
            for place, path in enumerate(call.args):
                if path != spelled:
                    continue
                for value in self._calls.targets(file, function, call.func):
                    _, callee = self._calls.function(value.name)
                    param = callee.params[place + (1 if value.owner else 0) :][:1]
                    if param and does(callee, param[0].name):
                        return True
        return False


def _changes(function: FunctionFact, spelled: str) -> bool:
    counts = {f"{spelled}.{name}" for name in COUNTS}
    if any((path == spelled and bits & Touch.WRITE) or path in counts for path, bits, _ in function.touches):
        return True
    return any(_tells(call, spelled) for call in function.calls)


def _reports(function: FunctionFact) -> Iterator[str]:
    for call in function.calls:
        owner, _, method = call.func.rpartition(".")
        if owner and method in REPORTS:
            yield owner


def _awaits(function: FunctionFact, spelled: str) -> bool:
    return any(call.func in {f"{spelled}.{name}" for name in AWAITS} for call in function.calls)


def _questions(function: FunctionFact) -> Iterator[str]:
    for target, path in function.binds:
        if target == "$while" and path:
            yield path.removesuffix("()").rpartition(".")[0] if path.endswith("()") else path
    for call in function.calls:
        owner, _, method = call.func.rpartition(".")
        if owner and (method in ASKS or method in TAKES or method in RUNS):
            yield owner


def _events(function: FunctionFact) -> Iterator[str]:
    for call in function.calls:
        owner, _, method = call.func.rpartition(".")
        if owner and method in ASKS:
            yield owner


def _ends_others(call: CallFact, targets: tuple[str, ...]) -> bool:
    """Whether its work is to end something, which cannot wait for it then: `trigger_restart`, `shutdown`."""
    names = [target.rpartition(".py:")[2].rpartition(".")[2] for target in targets]
    names += [call.func.rpartition(".")[2], keyword(call, "target", 1).rpartition(".")[2]]
    return any(ENDERS & {word.lower() for word in WORDS.findall(name)} for name in names)


def _tells(call: CallFact, spelled: str) -> bool:
    owner, _, method = call.func.rpartition(".")
    if owner != spelled:
        return False
    return method in TELLS or (method in SENDS and call.args[:1] == ("=None",))


def _given(function: FunctionFact, path: str) -> bool:
    return any(param.name == path for param in function.params)
