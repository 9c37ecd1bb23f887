"""Callables that reach a start by way of the program's own helpers: parameters, kept attributes, decorators."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from conclint.index.facts import CallFact, FunctionFact, Use
from conclint.program.arguments import is_bound
from conclint.program.calls import Calls, Site
from conclint.program.files import File
from conclint.program.matching import Given, matched
from conclint.program.values import Reach, Sort, Value, function_id, module_name, split_id

# With these a helper waits for what it has started.
WAITS = frozenset({"join", "result", "wait"})


class Forwarding:
    """Answers for one program."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._names = calls.names
        self._waiting: dict[str, bool] = {}

    def waits(self, site: Site) -> bool:
        """Whether the function waits for something in the end."""
        known = self._waiting.get(site.caller)
        if known is None:
            known = not WAITS.isdisjoint(call.func.rpartition(".")[2] for call in site.function.calls)
            self._waiting[site.caller] = known
        return known

    def handed(self, site: Site, path: str) -> Iterator[tuple[Site, str]]:
        """Where callers hand over what `path` denotes at the site, with the argument."""
        function = site.function
        if any(param.name == path for param in function.params):
            yield from self._passed(site.caller, path)
        elif function.owner and function.params and path.startswith(function.params[0].name + "."):
            yield from self._kept(site.file, function, path)

    def _passed(self, identity: str, name: str) -> Iterator[tuple[Site, str]]:
        _, function = self._calls.function(identity)
        for site in (*self._calls.callers(identity), *self._under_other_names(identity, function)):
            for value in self._calls.targets(site.file, site.function, site.call.func):
                if value.name == identity:
                    given = Given(site.call.args, site.call.keywords)
                    found = dict(matched(function, given, bound=is_bound(function, value.owner)))
                    if found.get(name):
                        yield site, found[name]

    def _under_other_names(self, identity: str, function: FunctionFact) -> Iterator[Site]:
        """Calls of `self._starter`, where that keeps the function."""
        own = (function.owner if function.name == "__init__" else function.qualname).rpartition(".")[2]
        names = {
            target.rpartition(".")[2]
            for file in self._knowing(self._names.files[split_id(identity)[0]], {own})
            for other, _ in file.body.functions.touching(own)
            for target, path in file.body.functions[other].binds
            if path.rpartition(".")[2] == own
        }
        for name in sorted(names - {own}):
            yield from self._calls.calls_named(name, split_id(identity)[0])

    def _kept(self, file: File, function: FunctionFact, path: str) -> Iterator[tuple[Site, str]]:
        """What the constructor was given for an attribute."""
        store = self._names.meaning(file, function, path).store
        if store is None or store.sort != "attribute":
            return
        for home, maker, bound in self._names.stores.puts(store):
            if maker.name == "__init__" and any(param.name == bound for param in maker.params):
                yield from self._passed(function_id(home.path, maker.qualname), bound)

    def called(self, target: str) -> Iterator[tuple[Site, str]]:
        """What the function that is started calls without knowing it: `self._callback()`."""
        file, function = self._calls.function(target)
        for call in function.calls:
            site = Site(file, function, call)
            own = function.params and call.func.startswith(function.params[0].name + ".") and call.func.count(".") == 1
            if own and not any(value.sort is Sort.FUNCTION for value in self._calls.meaning(site).values):
                yield from self.handed(site, call.func)

    def decorated(self, site: Site, path: str) -> Iterator[tuple[Site, Value]]:
        """The functions in whose stead a decorator around the site starts them."""
        function = self._names.scopes.enclosing(site.file, site.function)
        if function is None or not function.qualname or all(param.name != path for param in function.params):
            return
        outer = self._names.scopes.enclosing(site.file, function)
        makers = {function_id(site.file.path, one.qualname) for one in (function, outer) if one and one.qualname}
        names = {split_id(maker)[1].rpartition(".")[2] for maker in makers}
        for file in self._knowing(site.file, names):
            yield from self._decorated_in(file, makers, names)

    def _knowing(self, home: File, names: Iterable[str]) -> Iterable[File]:
        """The files that can name what stands in `home` under one of the names."""
        stem = module_name(home.path)
        return dict.fromkeys((home, *self._calls.files.importing(stem, *sorted(names), near=home.path)))

    def _decorated_in(self, file: File, makers: set[str], names: set[str]) -> Iterator[tuple[Site, Value]]:
        module = file.body.functions[""]
        for function in (one for name in sorted(names) for one in file.body.functions.decorated(name)):
            for path in function.decorators:
                plain = path.removesuffix("()")
                if plain.rpartition(".")[2] in names and any(
                    value.name in makers for value in self._names.meaning(file, module, plain).values
                ):
                    identity = function_id(file.path, function.qualname)
                    owner = function_id(file.path, function.owner) if function.owner else ""
                    looped = any(one.call.use & Use.LOOP for one in self._calls.callers(identity))
                    use = int(Use.LOOP) if looped else 0
                    site = Site(file, function, CallFact(path, function.line, 1, (), (), use, ()))
                    yield site, Value(Sort.FUNCTION, identity, owner, Reach.SELF if owner else Reach.OTHER)
