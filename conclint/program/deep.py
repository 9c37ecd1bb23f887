"""What functions do together with those that they call: closed over the call graph, a bounded number of calls deep.

Each function is asked once for each depth, and asks its callees once: the work is that of walking over the calls as
often as calls are followed deep, however they are entangled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from conclint.index.facts import Kind, Use
from conclint.program.calls import Calls, Site, is_base_call
from conclint.program.values import Value, function_id, split_id

# What lies deeper depends on more than anybody can follow.
DEEPEST = 4

# So many classes that derive from one are looked at.
LARGEST = 60

# Where a call stands for the reading of a property.
READ = ("$read",)

MANAGERS = ("contextmanager", "contextlib.contextmanager")


class Step(NamedTuple):
    """A call of a function of the program; `own`: for the caller's own object.  `owner`: the class of the receiver."""

    site: Site
    callee: str
    own: bool
    owner: str


class Steps:
    """The calls between functions, gathered once."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._known: dict[str, tuple[Step, ...]] = {}

    def of(self, identity: str) -> tuple[Step, ...]:
        """The functions that it calls, each once with its first call."""
        known = self._known.get(identity)
        if known is None:
            file, function = self._calls.function(identity)
            first: dict[tuple[str, bool], Step] = {}
            for call in function.calls:
                for step in self.at(Site(file, function, call)):
                    first.setdefault((step.callee, step.own), step)
            known = self._known[identity] = tuple(first.values())
        return known

    def at(self, site: Site) -> Iterator[Step]:
        """What the call runs before it comes back."""
        find = self._calls.getters if site.call.goes == READ else self._calls.targets
        for value in find(site.file, site.function, site.call.func):
            if self._runs(site, value):
                yield Step(site, value.name, is_own(site), value.owner)

    def feasible(self, path: Iterable[Step]) -> bool:
        """Whether one object can have all the methods that the path runs for it: no class has those of its sisters."""
        classes: set[str] | None = None
        for step in path:
            if not step.owner or not step.own:
                classes = None
            elif classes is None:
                _, function = self._calls.function(step.site.caller)
                owner = function_id(step.site.file.path, function.owner)
                classes = {*self._family(owner)} if function.owner else None
            if classes is not None:
                classes = {cls for cls in classes if self._runs_for(cls, step)}
                if not classes:
                    return False
        return True

    def _family(self, cls: str) -> tuple[str, ...]:
        return self._calls.names.classes.family(cls)[:LARGEST]

    def _has(self, cls: str, method: str) -> bool:
        """Whether an object of the class runs that method, under its name or through `super()`."""
        return split_id(method)[0] + ":" + self._calls.function(method)[1].owner in self._calls.names.classes.mro(cls)

    def _runs_for(self, cls: str, step: Step) -> bool:
        if step.site.call.func.startswith("super()"):
            return self._has(cls, step.callee)
        _, function = self._calls.function(step.callee)
        return self._calls.method(cls, function.name) == step.callee

    def _runs(self, site: Site, value: Value) -> bool:
        """Whether the call runs the function's body, rather than making a coroutine or a generator."""
        _, function = self._calls.function(value.name)
        if function.kind & Kind.ASYNC:
            return bool(site.call.use & Use.AWAITED)
        if function.kind & Kind.GENERATOR:
            return bool(site.call.use & Use.WITH) and any(one in MANAGERS for one in function.decorators)
        return True


class Deep:
    """Bits of functions, closed over their calls; `own` tells what a function does itself.

    `personal`: only calls for the caller's own object are followed.
    """

    def __init__(self, steps: Steps, own: Callable[[str], int], *, personal: bool = False) -> None:
        self._steps = steps
        self._own = own
        self._personal = personal
        self._known: dict[tuple[str, int], int] = {}

    def of(self, identity: str, depth: int = DEEPEST) -> int:
        """What happens when the function is called, at most `depth` calls further down."""
        key = (identity, depth)
        known = self._known.get(key)
        if known is None:
            known = self._own(identity)
            for step in self._steps.of(identity) if depth else ():
                if step.own or not self._personal:
                    known |= self.of(step.callee, depth - 1)
            self._known[key] = known
        return known

    @property
    def asked(self) -> int:
        """How many answers had to be worked out."""
        return len(self._known)

    def path(self, identity: str, bit: int) -> tuple[Step, ...]:
        """A shortest chain of calls to a function that does it itself; empty where `identity` does."""
        depth = next((one for one in range(DEEPEST + 1) if self.of(identity, one) & bit), 0)
        found = []
        while not self._own(identity) & bit and depth:
            depth -= 1
            step = next(
                step
                for step in self._steps.of(identity)
                if (step.own or not self._personal) and self.of(step.callee, depth) & bit
            )
            found.append(step)
            identity = step.callee
        return tuple(found)


def is_own(site: Site) -> bool:
    """`self.method()`, `super().method()`, `Base.method(self)`: the receiver is the caller's own."""
    if is_base_call(site):
        return True
    head, dot, rest = site.call.func.partition(".")
    params = site.function.params
    own = bool(site.function.owner and params and params[0].name == head)
    return bool(dot) and "." not in rest and (own or head == "super()")
