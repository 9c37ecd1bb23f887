"""How processes start: forked, spawned, or however the platform likes best."""

from __future__ import annotations

from functools import cached_property

from conclint.index.facts import FunctionFact
from conclint.program.calls import Calls, Site
from conclint.program.files import File
from conclint.program.testfiles import only_tests
from conclint.program.values import Meaning, Sort, Store

# docs.python.org/3/library/multiprocessing.html#contexts-and-start-methods
CONTEXT = "multiprocessing.context.BaseContext"
GETTERS = frozenset({"multiprocessing.get_context", f"{CONTEXT}.get_context"})
SETTERS = frozenset({"multiprocessing.set_start_method", f"{CONTEXT}.set_start_method"})
NAMED = {"Fork": "fork", "Spawn": "spawn", "ForkServer": "forkserver"}
CLASSES = {f"{first}{last}": method for first, method in NAMED.items() for last in ("Process", "Context")}

# Which the program leaves to the platform: fork on Linux until 3.13, then forkserver; spawn on macOS and Windows.
DEFAULT, UNKNOWN = "", "?"

# Names for names for contexts are followed so far.
DEEPEST = 6


class StartMethods:
    """Answers `of(site)` for calls that make a process or a pool of them."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._names = calls.names

    def of(self, site: Site) -> str:
        """ "fork", "spawn", "forkserver", DEFAULT or UNKNOWN."""
        contexts = [path for word, path in site.call.keywords if word == "mp_context" and path != "=None"]
        if contexts:
            return self._given(self._of_context(site.file, site.function, contexts[0], DEEPEST), site.file)
        return self._given(self._of_callee(site.file, site.function, site.call.func, DEEPEST), site.file)

    def of_class(self, cls: str) -> str:
        """The same for objects of a subclass of Process."""
        file, _ = self._names.scopes.class_(cls)
        return self._given(self._of_class(cls, DEEPEST) or {DEFAULT}, file)

    def _given(self, found: set[str], file: File | None) -> str:
        """The program's own default counts where nothing else was said."""
        default = self._default(file) if DEFAULT in found else DEFAULT
        found = {default if one == DEFAULT else one for one in found}
        return next(iter(found)) if len(found) == 1 else UNKNOWN

    def _default(self, file: File | None) -> str:
        """What `set_start_method` chooses for the whole program, or for a file of tests in that file."""
        found = {method for path, method in self._set if (file and file.path == path) or not only_tests("", path)}
        return next(iter(found)) if len(found) == 1 else UNKNOWN if found else DEFAULT

    @cached_property
    def _set(self) -> tuple[tuple[str, str], ...]:
        """The calls that choose a method for all: in which file, and which."""
        sites = self._calls.calls_named("set_start_method")
        chosen = (site for site in sites if self._calls.library_names(site) & SETTERS)
        return tuple((site.file.path, _argument(site, "method")) for site in chosen)

    # -- what is called

    def _of_callee(self, file: File, function: FunctionFact, path: str, depth: int) -> set[str]:
        """Of `Process`, `mp.Pool`, `ctx.Process`, a name for one of them, or a class that derives from one."""
        owner, _, last = path.rpartition(".")
        if last in CLASSES:
            return {CLASSES[last]}
        if owner and self._is_context(self._names.meaning(file, function, owner)):
            return self._of_context(file, function, owner, depth)
        meaning = self._names.meaning(file, function, path)
        found = {
            one for value in meaning.values if value.sort is Sort.CLASS for one in self._of_class(value.name, depth)
        }
        store = meaning.store
        if depth and store is not None and not path.endswith("()"):
            for home, scope, bound in self._names.stores.puts(store):
                found |= self._of_callee(home, scope, bound, depth - 1) if bound and bound[0] not in "$:=" else set()
        return found or {DEFAULT}

    def _of_class(self, cls: str, depth: int) -> set[str]:
        file, fact = self._names.scopes.class_(cls)
        if file is None or fact is None or not depth:
            return set()
        scope = file.body.functions.get(fact.qualname.rpartition(".")[0], file.body.functions[""])
        return {one for base in fact.bases for one in self._of_callee(file, scope, base, depth - 1)} - {DEFAULT}

    @staticmethod
    def _is_context(meaning: Meaning) -> bool:
        return any(value.sort is Sort.INSTANCE and value.name == CONTEXT for value in meaning.values)

    # -- contexts

    def _of_context(self, file: File, function: FunctionFact, path: str, depth: int) -> set[str]:
        if not depth:
            return {UNKNOWN}
        if path.endswith("()"):
            return self._of_call(file, function, path.removesuffix("()"), None, depth)
        store = self._names.meaning(file, function, path).store
        found: set[str] = set()
        for home, scope, bound in self._names.stores.puts(store) if store is not None else ():
            if bound.endswith("()"):
                found |= self._of_call(home, scope, bound.removesuffix("()"), store, depth)
            elif bound and bound[0] not in "$:=":
                found |= self._of_context(home, scope, bound, depth - 1)
            else:
                found.add(UNKNOWN)
        return found or {UNKNOWN}

    def _of_call(self, file: File, function: FunctionFact, func: str, store: Store | None, depth: int) -> set[str]:
        """What calls of `func` give, those whose result goes to the store where one is asked for."""
        sites = [Site(file, function, call) for call in function.calls if call.func == func]
        if store is not None:
            last = store.path.rpartition(".")[2]
            sites = [site for site in sites if any(goal.rpartition(".")[2] == last for goal in site.call.goes)] or sites
        return {one for site in sites for one in self._of_site(site, depth)} or {UNKNOWN}

    def _of_site(self, site: Site, depth: int) -> set[str]:
        if self._calls.library_names(site) & GETTERS:
            return {_argument(site, "method")}
        last = site.call.func.rpartition(".")[2]
        if last in CLASSES:
            return {CLASSES[last]}
        found: set[str] = set()
        for value in self._calls.targets(site.file, site.function, site.call.func):
            home, function = self._calls.function(value.name)
            for path in function.returns:
                found |= (
                    self._of_context(home, function, path, depth - 1) if path and path[0] not in "$:" else {UNKNOWN}
                )
        return found or {UNKNOWN}


def _argument(site: Site, word: str) -> str:
    """The method that is named as a constant."""
    given = [path for name, path in site.call.keywords if name == word] + [*site.call.args[:1]]
    if not given or given[0] == "=None":
        return DEFAULT
    return given[0][1:] if given[0][:1] == "=" else UNKNOWN
