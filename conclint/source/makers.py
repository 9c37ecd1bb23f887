"""Calls that make a thread or process: which kind, and what they are given under which name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from conclint.knowledge.lives import PROCESS, THREAD, TIMER
from conclint.knowledge.returns import NOTHING
from conclint.program.values import function_id
from conclint.source.paths import argument

if TYPE_CHECKING:
    from conclint.source.source import Source

MADE = (TIMER, THREAD, PROCESS)

# Parameters by position: docs.python.org/3/library/threading.html, multiprocessing.html
_PLACES = {"target": 1, "args": 3, "kwargs": 4, "name": 2, "group": 0}
_TIMER_PLACES = {"target": 1, "args": 2, "kwargs": 3}


class Maker(NamedTuple):
    """A call that makes a thread or process: of the library's class itself (`own` false) or of a subclass."""

    call: cst.Call
    kind: str
    own: bool

    def given(self, name: str) -> cst.Arg | None:
        """The argument for a parameter of the library's class, by keyword or position."""
        if self.kind == TIMER:
            return argument(self.call, "function" if name == "target" else name, _TIMER_PLACES.get(name))
        return argument(self.call, name, _PLACES[name])

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
            yield Maker(call, kind, any(":" in name for name in names))


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
    """Whether calling the expression only makes a coroutine, whatever it may mean: it is an `async def`."""
    found = () if isinstance(expression, cst.Lambda) else source.named(expression).functions
    return bool(found) and all(one in source.scene.coroutines for one in found)
