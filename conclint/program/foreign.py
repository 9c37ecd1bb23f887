"""Code of others that runs while a lock is held: registered callbacks, and what a future calls when it is done."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from conclint.index.facts import CallFact, FunctionFact
from conclint.program.calls import Site
from conclint.program.files import File
from conclint.program.stalls import of_lifecycle
from conclint.program.takes import Taken
from conclint.program.testfiles import is_test
from conclint.program.values import Store, function_id, split_id

if TYPE_CHECKING:
    from conclint.program.linking import Program
    from conclint.program.sections import Sections, Under

SETTERS = ("concurrent.futures.Future.set_result", "concurrent.futures.Future.set_exception")


# What is called so, without an argument, only gives what it refers to.
WEAK = re.compile(r"refs?(?:\[\])?$")


class Code(Enum):
    """Whose code it is."""

    CALLBACK = "callback"
    FUTURE = "future"


class Foreign(NamedTuple):
    """A call under a lock runs what somebody else has registered, at `registered` where that is known."""

    under: Under
    lock: Taken
    code: Code
    registered: Site | None


def calls_foreign(program: Program, file: File, function: FunctionFact) -> bool:
    """Whether a function calls code of others at all."""
    sites = (Site(file, function, call) for call in function.calls)
    return any(code_of(program, site) is not None for site in sites)


def code_of(program: Program, site: Site) -> tuple[Code, Site | None] | None:
    """Whose code the call runs, if it is somebody else's."""
    name = site.call.func.rpartition(".")[2]
    if name in ("set_result", "set_exception"):
        names = program.calls.library_names(site)
        own = _is_new(site)
        return (Code.FUTURE, None) if any(one in names for one in SETTERS) and not own else None
    items = list(_items(site.function, site.call))
    for path in items:
        head, _, step = path.partition("[]")
        store = program.names.meaning(site.file, site.function, head).store
        if store is not None and store.sort != "local":
            found = _registered(program, store, step)
            if found is not None:
                return Code.CALLBACK, found
    return None


def _is_new(site: Site) -> bool:
    """Whether the function itself has made the future: nobody else has had it, to add a callback."""
    owner = site.call.func.rpartition(".")[0]
    return any(owner in call.goes and call.func.endswith("Future") for call in site.function.calls)


def _registered(program: Program, store: Store, step: str) -> Site | None:
    """Where something is put into the container that a method was given."""
    spelled = (f"{store.path}[]{step}", f"{store.path}.setdefault(){step}")
    for path in spelled:
        for home, function, given in program.names.stores.puts(store._replace(path=path)):
            if _is_registered(function, given):
                return Site(home, function, CallFact(given, function.line, 1, (), (), 0, ()))
    return next(_put_by_others(program, store, tuple(one[len(store.path) :] for one in spelled)), None)


def _put_by_others(program: Program, store: Store, steps: tuple[str, ...]) -> Iterator[Site]:
    """Where others, who reach the container by way of an object or an import, put in what they were given."""
    home = store.owner if store.sort == "global" else split_id(store.owner)[0]
    ends = tuple(store.path + step for step in steps)
    for file in program.files.changes.near(home, store.path) if store.root == store else ():
        for qualname, _ in file.body.functions.touching(store.path):
            function = file.body.functions[qualname]
            for target, given in function.binds:
                if target.endswith(ends) and _is_registered(function, given):
                    step = next(one for one in steps if target.endswith(store.path + one))
                    if program.names.meaning(file, function, target.removesuffix(step)).store == store:
                        yield Site(file, function, CallFact(given, function.line, 1, (), (), 0, ()))


def _items(function: FunctionFact, call: CallFact) -> Iterator[str]:
    """Items of containers: `for callback in self._callbacks: callback()`, `self._hooks[name]()`; no weak references."""
    if not call.args and WEAK.search(call.func):
        return
    if call.func.endswith("[]") and "(" not in call.func:
        yield call.func
    if call.func.isidentifier():
        for target, path in function.binds:
            item = path.replace("[*]", "[]").replace(".get()", "[]")
            if target == call.func and "[]" in item and "(" not in item:
                yield item


def _is_registered(function: FunctionFact, given: str) -> bool:
    """Whether what is put in is a parameter: somebody hands it in, after the object was made."""
    return function.name != "__init__" and any(param.name == given for param in function.params)


class Foreigners:
    """Finds the foreign code under locks of one program."""

    def __init__(self, program: Program, sections: Sections) -> None:
        self._program = program
        self._sections = sections

    def all(self) -> Iterator[Foreign]:
        """The first of each function and lock."""
        seen = set()
        takes = self._program.locking.takes
        for under in self._sections.calls:
            for lock in under.held:
                kind = takes.kind(lock.lock)
                if kind is None or kind.reentrant or is_test(under.seen.place.path):
                    continue
                if of_lifecycle(under.seen.function):
                    continue  # the end of an object, and of what it was given
                key = (function_id(under.site.file.path, under.site.function.qualname), lock.lock)
                found = self._found(under) if key not in seen else None
                if found is not None and takes.identified(lock.lock):
                    seen.add(key)
                    yield Foreign(under, lock, *found)

    def _found(self, under: Under) -> tuple[Code, Site | None] | None:
        """Whose code the call runs; also where a method of the same object does it, that is called under the lock."""
        own = code_of(self._program, under.site)
        owner, _, name = under.site.call.func.rpartition(".")
        first = under.site.function.params[:1]
        if own is not None or [param.name for param in first] != [owner] or not name.startswith("_"):
            return own
        for step in self._program.locking.steps.at(under.site):
            file, callee = self._program.calls.function(step.callee)
            sites = (Site(file, callee, call) for call in callee.calls)
            return next((found for site in sites if (found := code_of(self._program, site)) is not None), None)
        return None
