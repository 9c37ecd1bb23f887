"""What other files do to the locks that a module keeps in globals."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from conclint.index.facts import CallFact, Touch, Use
from conclint.knowledge.locks import STANDARD
from conclint.model import Place, Span
from conclint.program.calls import Calls, Site
from conclint.program.contexts import call_place, site_place
from conclint.program.deeds import CONSTRUCTION
from conclint.program.globals import Globals, User
from conclint.program.testfiles import among_tests

SEMAPHORES = frozenset({"threading.Semaphore", "multiprocessing.Semaphore", "asyncio.Semaphore"})

# Where nobody else has a module's lock: its process is new, or nobody has begun.
ALONE = re.compile(r"fork|child|process|re_?init|^_*(?:init|setup|start|restart|open|connect|bind|run|main|configure)")

# A semaphore that counts signals.
NONE_YET = ("", "=0")


class Elsewhere(NamedTuple):
    """What a function of another file does at `place` to the lock that is made at `made`, which it calls `text`."""

    place: Place
    text: str
    made: Place


class ModuleLocks:
    """Answers for one program."""

    def __init__(self, calls: Calls, globals_: Globals) -> None:
        self._calls = calls
        self._globals = globals_

    def replaced(self) -> Iterator[Elsewhere]:
        """New locks that another file's function puts in the place of a module's."""
        for site, name in self._made(frozenset(STANDARD)):
            for user in self._globals.elsewhere(site.file, name) or ():
                line = _binds(user)
                if line and "." in user.spelled and not self._is_alone(user) and self._is_lock(user, line):
                    place = Place(user.file.path, Span(line, 1, line, 1 + len(user.spelled)))
                    yield Elsewhere(place, user.spelled, site_place(site))

    def given_back(self) -> Iterator[Elsewhere]:
        """Plain semaphores of which some function gives back a place that another one takes, in another file."""
        for site, name in self._made(SEMAPHORES):
            others = self._globals.elsewhere(site.file, name)
            if not others or not self._begins_full(site.call):
                continue
            users = [one for one in (*self._globals.here(site.file, name), *others) if not among_tests(one.file.path)]
            taking = [one for one in users if _called(one, "acquire")]
            giving = [one for one in users if _called(one, "release") and one not in taking]
            for user in giving[:1] if taking and any(one in others for one in (*taking, *giving)) else ():
                place = call_place(user.file.path, _called(user, "release")[0])
                yield Elsewhere(place, user.spelled, site_place(site))

    def _made(self, kinds: frozenset[str]) -> Iterator[tuple[Site, str]]:
        """Where modules make such locks, and the global that each goes to."""
        for last in sorted({kind.rpartition(".")[2] for kind in kinds}):
            for site in self._calls.calls_named(last):
                goes = [name for name in site.call.goes if name.isidentifier()]
                module = not site.function.qualname and not among_tests(site.file.path)
                if module and goes and kinds & self._calls.library_names(site):
                    yield site, goes[0]

    @staticmethod
    def _begins_full(made: CallFact) -> bool:
        number = next((path for word, path in made.keywords if word == "value"), made.args[0] if made.args else "")
        return number not in NONE_YET and number.startswith("=")

    def _is_alone(self, user: User) -> bool:
        name = user.function.name
        return not user.function.qualname or name in CONSTRUCTION or bool(ALONE.search(name))

    def _is_lock(self, user: User, line: int) -> bool:
        """Whether what is bound there is a new lock, made in any case."""
        made = [call for call in user.function.calls if user.spelled in call.goes and not call.use & Use.BRANCH]
        sites = (Site(user.file, user.function, call) for call in made)
        in_test = among_tests(user.file.path)
        return not in_test and any(frozenset(STANDARD) & self._calls.library_names(site) for site in sites)


def _binds(user: User) -> int:
    """The line on which the function binds the global anew."""
    return next((line for path, bits, line in user.function.touches if path == user.spelled and bits & Touch.WRITE), 0)


def _called(user: User, method: str) -> list[CallFact]:
    return [call for call in user.function.calls if call.func == f"{user.spelled}.{method}"]
