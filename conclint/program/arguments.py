"""What workers are given: the arguments of a start, followed into the parameters of what runs, and on into its calls.

Only parameters of code that runs elsewhere are followed, and only forwards, in the order in which the runs spread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conclint.index.facts import FunctionFact, Kind
from conclint.knowledge.starting import HANDING_ON
from conclint.program.calls import Calls, Site
from conclint.program.matching import Given, matched, per_item
from conclint.program.scopes import Passed
from conclint.program.values import Reach, Value

if TYPE_CHECKING:
    from conclint.program.spawns import Root

# So many different arguments for one parameter tell enough.
MOST_PASSED = 4

# A call's arguments stand at most so many lines below its beginning.
NEAR = 4


class Arguments:
    """Fills `names.passed` as runs spread."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._names = calls.names
        self._lambdas: dict[str, Root] = {}  # those that starts are given

    def started(self, root: Root) -> None:
        """The arguments that a start hands to its target, or to the constructor of its thread."""
        self._made(root)
        _, function = self._calls.function(root.target)
        if function.kind & Kind.LAMBDA:
            self._lambdas[root.target] = root
        first, rest = partial_of(root.site), spawned(root.site)
        given = Given(first.positional + rest.positional, first.keywords + rest.keywords)
        for name, path in matched(function, given, bound=is_bound(function, root.owner)):
            outside = _followed(path) and not per_item(root.site.function, root.site.call, path.partition(".")[0])
            self._pass(root.site, root.target, name, path, Reach.SHARED if outside else Reach.OTHER, first=True)

    def _made(self, root: Root) -> None:
        """`Worker(queue)`, where the class's own `run` is what runs."""
        made = any(value.name == root.owner for value in self._calls.meaning(root.site).values) and root.owner
        constructor = self._calls.method(root.owner, "__init__") if made else ""
        if constructor:
            _, function = self._calls.function(constructor)
            given = Given(root.site.call.args, root.site.call.keywords)
            for name, path in matched(function, given, bound=True):
                outside = _followed(path) and not per_item(root.site.function, root.site.call, path.partition(".")[0])
                self._pass(root.site, constructor, name, path, Reach.SHARED if outside else Reach.OTHER, first=True)

    def called(self, site: Site, value: Value) -> None:
        """The arguments that a call in a worker passes on; a lambda's are as good as the start's own."""
        _, function = self._calls.function(value.name)
        given = Given(site.call.args, site.call.keywords)
        for name, path in matched(function, given, bound=is_bound(function, value.owner)):
            outside = self._is_outside(site, path)
            self._pass(site, value.name, name, path, Reach.SHARED if outside else Reach.OTHER, first=outside)

    def _is_outside(self, site: Site, path: str) -> bool:
        """Whether a lambda that a start is given hands over what its maker has, or gives it every time."""
        root = self._lambdas.get(site.caller)
        head = path.partition(".")[0]
        if root is None or not _followed(path):
            return False
        if any(param.name == head for param in site.function.params):
            given = self._names.passed.get((site.caller, head), ())
            return any(one.first and one.reach is Reach.SHARED for one in given)
        return not per_item(root.site.function, root.site.call, head)

    def _pass(self, site: Site, target: str, name: str, path: str, reach: Reach, *, first: bool = False) -> None:
        if _followed(path):
            reach = reach if reach is Reach.SHARED else self._reach(site, path)
            found = self._names.passed.setdefault((target, name), [])
            one = Passed(site.file, site.function, path, reach, first)
            if one not in found and len(found) < MOST_PASSED and (site.caller, path) != (target, name):
                found.append(one)
                self._called_otherwise(one, target, name)
                self._calls.forget(target)

    def _called_otherwise(self, one: Passed, target: str, name: str) -> None:
        """Notes that what all workers are given is called so where it arrives."""
        store = self._names.meaning(one.file, one.function, one.path).store
        if store is not None and one.reach is Reach.SHARED:
            self._names.aliases.setdefault(store.root, []).append((target, name))

    def _reach(self, site: Site, path: str) -> Reach:
        """Whether the object passed on is known to be one that others have."""
        reach = self._names.meaning(site.file, site.function, path).reach
        return Reach.SHARED if reach is Reach.SHARED else Reach.OTHER


def _followed(path: str) -> bool:
    return bool(path) and path[0] not in "=$*"


def is_bound(function: FunctionFact, owner: str) -> bool:
    return bool(owner) and "staticmethod" not in function.decorators


def spawned(site: Site) -> Given:
    """`Thread(target=f, args=(a, b))`, `submit(f, a, b)`, `map(f, [a] * 9)`."""
    call = site.call
    items = tuple(path for word, path in call.keywords if word.startswith("args.") and word[5:].isdigit())
    if items:
        return Given(items, ())
    each = {int(word[5:]): path for word, path in call.keywords if word.startswith("each.")}
    if each:
        return Given(tuple(each.get(place, "") for place in range(max(each) + 1)), ())
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
