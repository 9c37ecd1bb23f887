"""Where workers change settings of the whole process, and use objects that one thread at a time may use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from conclint.index.facts import FunctionFact, Touch
from conclint.knowledge.kinds import Context
from conclint.program.calls import Calls, Site
from conclint.program.contexts import Contexts
from conclint.program.files import File
from conclint.program.triggers import Triggers
from conclint.program.values import Sort, function_id


class Member(NamedTuple):
    """A function where it stands."""

    file: File
    function: FunctionFact

    @property
    def identity(self) -> str:
        return function_id(self.file.path, self.function.qualname)


class Worked:
    """Looks through what workers run."""

    def __init__(self, calls: Calls, contexts: Contexts) -> None:
        self._calls = calls
        self._contexts = contexts
        self._knowledge = calls.names.knowledge

    def of(self, trigger: Triggers) -> Iterator[tuple[Member, int]]:
        """The functions and lines of the trigger's settings and objects."""
        table = self._knowledge.process_wide
        names = frozenset(name for name, setting in table.items() if setting in trigger.settings)
        last = {name.rpartition(".")[2] for name in names}
        for one in self._running(trigger.contexts):
            for line in self._set(one, names, last) if names else ():
                yield one, line
            for line in self._used(one, trigger) if trigger.objects else ():
                yield one, line

    def _running(self, contexts: frozenset[Context]) -> Iterator[Member]:
        for identity in sorted(self._contexts.functions()):
            if any(run.context in contexts for run in self._contexts.runs(identity)):
                yield Member(*self._calls.function(identity))

    def _set(self, one: Member, names: frozenset[str], last: set[str]) -> Iterator[int]:
        renamed = one.file.renamed
        for call in one.function.calls:
            called = call.func.rpartition(".")[2]
            known = called in last or call.func in renamed
            if known and self._calls.library_names(Site(one.file, one.function, call)) & names:
                yield call.line
        for path, bits, line in one.function.touches:
            if bits & (Touch.WRITE | Touch.ITEM) and path.rpartition(".")[2] in last:
                values = self._calls.names.meaning(one.file, one.function, path).values
                if any(value.sort is Sort.LIBRARY and value.name in names for value in values):
                    yield line

    def _used(self, one: Member, trigger: Triggers) -> Iterator[int]:
        """Calls of methods of such objects, as far as their classes are known."""
        for call in one.function.calls:
            if "." in call.func:
                owners = {name.rpartition(".")[0] for name in self._calls.library_names(Site(*one, call))}
                if self._knowledge.unsafe(sorted(owners)) in trigger.objects:
                    yield call.line
