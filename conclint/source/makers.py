"""Calls that make a thread or process: which kind, and what they are given under which name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from conclint.knowledge.lives import PROCESS, THREAD, TIMER
from conclint.knowledge.returns import NOTHING
from conclint.program.values import function_id
from conclint.source.paths import argument, path_of

if TYPE_CHECKING:
    from conclint.source.source import Source

MADE = (TIMER, THREAD, PROCESS)

# Parameters by position: docs.python.org/3/library/threading.html, multiprocessing.html
_PLACES = {"target": 1, "args": 3, "kwargs": 4, "name": 2, "group": 0}
_TIMER_PLACES = {"target": 1, "args": 2, "kwargs": 3}


class Maker(NamedTuple):
    """A call that makes a thread or process: of the library's class itself (`own` false) or of a subclass.

    `after`: so many arguments come before those of the library's class, in `Thread.__init__(self, …)`.  `placed`: what
    stands where is what the library says, rather than what a constructor of the program's own does.
    """

    call: cst.Call
    kind: str
    own: bool
    after: int = 0
    placed: bool = True

    def given(self, name: str) -> cst.Arg | None:
        """The argument for a parameter of the library's class, by keyword or position."""
        keyword = "function" if name == "target" and self.kind == TIMER else name
        place = (_TIMER_PLACES if self.kind == TIMER else _PLACES).get(name) if self.placed else None
        return argument(self.call, keyword, None if place is None else place + self.after)

    @property
    def collects(self) -> bool:
        """Whether arguments come in a `*list` or `**dict` that nobody sees through."""
        return any(arg.star for arg in self.call.args)


def makers(source: Source) -> tuple[Maker, ...]:
    """Every call in the parsed regions that makes a thread or process, found once."""
    return source.makers


def made_in(source: Source) -> Iterator[Maker]:
    """Finds them."""
    for call in source.all(cst.Call):
        names = source.names(call.func)
        kind = next((one for one in MADE if one in names), "")
        if kind:
            own = any(":" in name for name in names)
            grouped = bool(call.args) and path_of(call.args[0].value) == "None"  # as the library's first parameter is
            yield Maker(call, kind, own, placed=grouped or not own)


def initialisers(source: Source) -> Iterator[Maker]:
    """Calls of the base by a subclass: `super().__init__(target=work)`, `Thread.__init__(self, target=work)`."""
    for call in source.all(cst.Call):
        func = call.func
        if not isinstance(func, cst.Attribute) or func.attr.value != "__init__":
            continue
        named = source.named(func)
        kind = next((one for one in MADE if f"{one}.__init__" in named.names), "")
        if kind:
            yield Maker(call, kind, True, after=1)
        elif path_of(func.value) == "super()" and not named.functions and (kind := _first_base(source, call)):
            yield Maker(call, kind, True)


def _first_base(source: Source, call: cst.Call) -> str:
    """The library's class that `super()` means here, in a class that derives from it at once."""
    cls = source.nearest(call, cst.ClassDef)
    names = source.names(cls.bases[0].value) if cls is not None and cls.bases else ()
    return next((one for one in MADE if one in names[:2]), "")


def functions(source: Source, expression: cst.BaseExpression) -> tuple[str, ...]:
    """The ids of the program's functions that an expression may mean; a lambda is one too."""
    if isinstance(expression, cst.Lambda):
        return (function_id(source.path, source.qualname_of(expression)),)
    return source.named(expression).functions


def gives_nothing_to_call(source: Source, call: cst.Call) -> bool:
    """Whether what a call returns can surely not be called in its turn."""
    named = source.named(call.func)
    if named.functions:
        return not named.names and all(one in source.scene.barren for one in named.functions)
    return bool(named.names) and all(name in NOTHING for name in named.names[:1])


def makes_coroutine(source: Source, expression: cst.BaseExpression) -> bool:
    """Whether calling the expression only makes a coroutine, whatever it may mean: it is an `async def`.

    `lambda: job(x)` stands for `job`, which it calls.
    """
    if isinstance(expression, cst.Lambda):
        return isinstance(expression.body, cst.Call) and makes_coroutine(source, expression.body.func)
    found = source.named(expression).functions
    return bool(found) and all(one in source.scene.coroutines for one in found)
