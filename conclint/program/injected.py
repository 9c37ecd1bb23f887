"""What parameters stand for: `Device(self)` tells what `manager` is in `Device.__init__(self, manager)`.

What workers are given is told by `Names.passed`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from conclint.index.facts import CallFact, FunctionFact, Use
from conclint.program.files import File, Files
from conclint.program.matching import Given, matched, per_item
from conclint.program.scopes import Passed
from conclint.program.testfiles import is_test
from conclint.program.values import Meaning, Reach, Sort, Store, Value, function_id

# A class that is made in more places than this is everybody's.
MOST_MADE = 12

# So many different kinds of arguments say that it may be anything.
MOST_KINDS = 3


class Injected:
    """Answers for one program."""

    def __init__(self, files: Files, meaning: Callable[[File, FunctionFact, str], Meaning]) -> None:
        self._files = files
        self._meaning = meaning

    def given(self, passed: Sequence[Passed]) -> list[Value]:
        """The objects that a worker is given for a parameter."""
        found = (value for one in passed for value in self._meaning(one.file, one.function, one.path).values)
        return [value for value in found if value.sort is Sort.INSTANCE]

    def origin(self, passed: Sequence[Passed]) -> Store | None:
        """The variable or attribute that all workers are given: the parameter is another name of it."""
        if len(passed) != 1 or passed[0].reach is not Reach.SHARED:
            return None
        return self._meaning(passed[0].file, passed[0].function, passed[0].path).store

    def the_same(self, file: File, constructor: FunctionFact, name: str) -> Store | None:
        """The variable outside the loop that makes objects of the class, in the one place where it is made."""
        made = list(self._made(file, constructor.owner))
        if len(made) != 1:
            return None
        home, function, call = made[0]
        for param, path in matched(constructor, Given(call.args, call.keywords), bound=True):
            if param == name and path and path[0] not in "=*$":
                looped = call.use & Use.LOOP and not per_item(function, call, path.partition(".")[0])
                return self._meaning(home, function, path).store if looped else None
        return None

    def everywhere(self, file: File, constructor: FunctionFact, name: str) -> Store | None:
        """The variable that is given for the parameter in each place where an object of the class is made."""
        found: set[Store | None] = set()
        for home, function, call in self._made(file, constructor.owner):
            given = dict(matched(constructor, Given(call.args, call.keywords), bound=True))
            path = given.get(name, "")
            known = bool(path) and path[0] not in "=*$:" and not per_item(function, call, path.partition(".")[0])
            found.add(self._meaning(home, function, path).store if known else None)
        return found.pop() if len(found) == 1 else None

    def values(self, file: File, constructor: FunctionFact, name: str) -> list[Value]:
        """The objects of which calls of the class give one for the parameter; none where there are too many kinds."""
        if not any(param.name == name and not param.kind for param in constructor.params):
            return []
        found: dict[Value, None] = {}
        own = function_id(file.path, constructor.owner)
        for home, function, call in self._made(file, constructor.owner):
            for param, path in matched(constructor, Given(call.args, call.keywords), bound=True):
                if param == name and path and path[0] not in "=*":
                    values = self._meaning(home, function, path).values
                    wrapped = path in call.goes  # `stream = Buffered(stream)`: what it was before
                    found.update(dict.fromkeys(value for value in values if self._is_given(value, own, wrapped)))
        return list(found) if len(found) <= MOST_KINDS else []

    @staticmethod
    def _is_given(value: Value, own: str, wrapped: bool) -> bool:
        return value.sort is Sort.INSTANCE and not (wrapped and value.name == own)

    def _made(self, file: File, cls: str) -> Iterator[tuple[File, FunctionFact, CallFact]]:
        """The calls of the class, but for those of tests."""
        name, identity = cls.rpartition(".")[2].partition("#")[0], function_id(file.path, cls)
        near = list(self._files.calling(name, file.path))
        if sum(one.body.functions.count(spelled) for one, spelled in near) > MOST_MADE:
            return
        for one, spelled in near:
            for function, call in one.body.functions.calling(spelled) if not is_test(one.path) else ():
                called = self._meaning(one, function, call.func).values
                if any(value.sort is Sort.CLASS and value.name == identity for value in called):
                    yield one, function, call
