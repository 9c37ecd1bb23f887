"""What workers are given: the arguments of a start, followed into the parameters of what runs, and on into its calls.

Only parameters of code that runs elsewhere are followed, and only forwards, in the order in which the runs spread.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from conclint.index.facts import FunctionFact, Use
from conclint.program.calls import Calls, Site
from conclint.program.scopes import Passed
from conclint.program.values import Reach, Sort, Value

if TYPE_CHECKING:
    from conclint.program.spawns import Root

# Spawners that hand their further arguments on to the callable.
HANDING_ON = frozenset(
    ("submit", "run_in_executor", "to_thread", "run_sync", "start_new_thread", "call_soon_threadsafe", "apply", "spawn")
)

# So many different arguments for one parameter tell enough.
MOST_PASSED = 4

# A call's arguments stand at most so many lines below its beginning.
NEAR = 4


class Given(NamedTuple):
    """The arguments of one call as paths, by position and by keyword."""

    positional: tuple[str, ...]
    keywords: tuple[tuple[str, str], ...]


class Arguments:
    """Fills `names.passed` as runs spread."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._names = calls.names

    def started(self, root: Root) -> None:
        """The arguments that a start hands to its target, or to the constructor of its thread."""
        self._made(root)
        _, function = self._calls.function(root.target)
        first, rest = partial_of(root.site), spawned(root.site)
        given = Given(first.positional + rest.positional, first.keywords + rest.keywords)
        for name, path in matched(function, given, bound=is_bound(function, root.owner)):
            outside = _followed(path) and not per_item(root.site, path.partition(".")[0])
            self._pass(root.site, root.target, name, path, Reach.SHARED if outside else Reach.OTHER)

    def _made(self, root: Root) -> None:
        """`Worker(queue)`, where the class's own `run` is what runs."""
        made = any(value.name == root.owner for value in self._calls.meaning(root.site).values) and root.owner
        constructor = self._calls.method(root.owner, "__init__") if made else ""
        if constructor:
            _, function = self._calls.function(constructor)
            given = Given(root.site.call.args, root.site.call.keywords)
            for name, path in matched(function, given, bound=True):
                outside = _followed(path) and not per_item(root.site, path.partition(".")[0])
                self._pass(root.site, constructor, name, path, Reach.SHARED if outside else Reach.OTHER)

        self._constructed(root)

    def _constructed(self, root: Root) -> None:
        """What a thread's or process's own class was made with, where the root is its `run`."""
        made = (value.name for value in self._calls.meaning(root.site).values if value.sort is Sort.CLASS)
        init = self._calls.method(root.owner, "__init__") if root.owner in made else ""
        if init:
            self.called(root.site, Value(Sort.FUNCTION, init, root.owner))

    def called(self, site: Site, value: Value) -> None:
        """The arguments that a call in a worker passes on."""
        _, function = self._calls.function(value.name)
        given = Given(site.call.args, site.call.keywords)
        for name, path in matched(function, given, bound=is_bound(function, value.owner)):
            self._pass(site, value.name, name, path, Reach.OTHER)

    def _pass(self, site: Site, target: str, name: str, path: str, reach: Reach) -> None:
        if _followed(path):
            reach = reach if reach is Reach.SHARED else self._reach(site, path)
            found = self._names.passed.setdefault((target, name), [])
            one = Passed(site.file, site.function, path, reach)
            if one not in found and len(found) < MOST_PASSED and (site.caller, path) != (target, name):
                found.append(one)
                self._calls.forget(target)

    def _reach(self, site: Site, path: str) -> Reach:
        """Whether the object passed on is known to be one that others have."""
        reach = self._names.meaning(site.file, site.function, path).reach
        return Reach.SHARED if reach is Reach.SHARED else Reach.OTHER


def _followed(path: str) -> bool:
    return bool(path) and path[0] not in "=$*"


def is_bound(function: FunctionFact, owner: str) -> bool:
    return bool(owner) and "staticmethod" not in function.decorators


def per_item(site: Site, head: str) -> bool:
    """Whether the variable is new in each round of the loop in which the start stands."""
    if not site.call.use & Use.LOOP:
        return False
    function = site.function
    own = {target for target, path in function.binds if path[:1] != ":"}
    if any(param.name == head for param in function.params) and head not in own:
        return False
    made = [call for call in function.calls if head in call.goes]
    return not made or any(call.use & Use.LOOP for call in made)


def spawned(site: Site) -> Given:
    """`Thread(target=f, args=(a, b))`, `submit(f, a, b)`."""
    call = site.call
    items = tuple(path for word, path in call.keywords if word.startswith("args.") and word[5:].isdigit())
    if items:
        return Given(items, ())
    last = call.func.rpartition(".")[2]
    if last not in HANDING_ON or "*" in call.args:
        return Given((), ())
    skip = 2 if last == "run_in_executor" else 1
    return Given(call.args[skip:], tuple(pair for pair in call.keywords if pair[0] not in ("fn", "func", "target")))


def partial_of(site: Site) -> Given:
    """The arguments that `functools.partial` has bound to the callable that is started there."""
    given = (*site.call.args, *(path for _, path in site.call.keywords))
    for function, call in site.file.body.functions.calling("partial"):
        near = function.qualname == site.function.qualname and site.call.line <= call.line <= site.call.line + NEAR
        if near and call.args and call.args[0] in given:
            return Given(call.args[1:], call.keywords)
    return Given((), ())


def matched(function: FunctionFact, given: Given, *, bound: bool) -> Iterator[tuple[str, str]]:
    plain = [param for param in function.params if not param.kind][bound:]
    for param, path in zip(plain, given.positional, strict=False):
        if path == "*":
            break
        yield param.name, path
    names = {param.name for param in function.params if not param.kind.startswith("*")}
    yield from ((word, path) for word, path in given.keywords if word in names)
