"""Coroutines that nobody is seen to run in several tasks, although their authors mean that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from conclint.index.facts import FunctionFact, Kind, Use
from conclint.knowledge.coroutines import LIBRARIES, SELDOM
from conclint.knowledge.kinds import Context, Knowledge
from conclint.knowledge.lifecycle import LIFE
from conclint.model import Note
from conclint.program.calls import Calls, Site
from conclint.program.contexts import site_place
from conclint.program.files import File
from conclint.program.observations import Access
from conclint.program.tasks import changes
from conclint.program.testfiles import among_tests
from conclint.program.values import Reach, Sort, Store, function_id

# Methods of whoever owns the object.
OWNERS = LIFE | {"__aenter__", "__aexit__", "__anext__", "aclose", "on_startup", "on_shutdown"}


class Meant:
    """Answers for one program."""

    def __init__(self, calls: Calls, knowledge: Knowledge) -> None:
        self._calls = calls
        self._names = calls.names
        self._knowledge = knowledge
        self._global: dict[str, Note | None] = {}

    @cached_property
    def coroutines(self) -> list[tuple[File, FunctionFact]]:
        """Those that change what may be others'."""
        return [
            (file, function)
            for file in self._calls.files
            if LIBRARIES & file.roots and not among_tests(file.path)
            for function in file.body.functions.coroutines()
            if changes(function)
        ]

    def worth_a_look(self) -> Iterator[tuple[File, FunctionFact]]:
        for file, function in self.coroutines:
            cls = function_id(file.path, function.owner) if function.owner else ""
            locked = cls and self._lock(cls)  # here it matters too who only changes
            alike = function.globals or (cls and self._instance(cls))
            if locked or (alike and changes(function, reads=True)):
                yield file, function

    def by(self, access: Access, kept: Iterable[Access]) -> tuple[bool, Note] | None:
        """Who means several tasks to do it, and whether that is sure: others change the same under a lock."""
        file, function = self._calls.function(access.function)
        if function.name in OWNERS | SELDOM or among_tests(file.path):
            return None
        if access.store.sort == "global":
            return False, Note(access.place, f"`{access.store.path}` is one for all tasks")
        if access.store.sort != "attribute" or access.reach is not Reach.SELF or not function.owner:
            return None
        cls = function_id(file.path, function.owner)
        lock = self._lock(cls)
        if lock is not None and any(one.store == access.store and one.function != access.function for one in kept):
            return True, lock
        instance = self._instance(cls) if not self._is_one_task(access.function) else None
        return (False, instance) if instance is not None else None

    def _is_one_task(self, identity: str) -> bool:
        """Whether nobody waits for it, and somebody calls it: the coroutine that goes to one task."""
        callers = self._calls.callers(identity)
        return bool(callers) and not any(site.call.use & Use.AWAITED for site in callers)

    # -- locks of tasks

    def _lock(self, cls: str) -> Note | None:
        return self._locks.get(cls)

    @cached_property
    def _locks(self) -> dict[str, Note]:
        """By class: where a coroutine of its own takes a lock of its object's."""
        found: dict[str, Note] = {}
        for file in self._calls.files:
            for name in ("__enter__", "acquire") if LIBRARIES & file.roots and not among_tests(file.path) else ():
                for function, call in self._calls.in_file(file, name) if name in file.header.called else ():
                    if not function.kind & Kind.ASYNC or not call.use & (Use.WITH | Use.AWAITED):
                        continue
                    store = self._lock_of_tasks(file, function, call.func.rpartition(".")[0])
                    if store is not None and function.owner:
                        words = f"a coroutine takes the object's own lock `{store.path}` here: several tasks are meant"
                        cls = function_id(file.path, function.owner)
                        found.setdefault(cls, Note(site_place(Site(file, function, call)), words))
        return found

    def _lock_of_tasks(self, file: File, function: FunctionFact, path: str) -> Store | None:
        meaning = self._names.meaning(file, function, path)
        kinds = [self._knowledge.locks.get(one.name) for one in meaning.values if one.sort is Sort.INSTANCE]
        sure = bool(kinds) and all(one is not None and one.among is Context.LOOP and not one.counting for one in kinds)
        store = meaning.store
        return store if sure and store is not None and store.sort == "attribute" and store.root == store else None

    # -- objects that there is one of

    def _instance(self, cls: str) -> Note | None:
        """Where a module keeps an object of the class for everybody."""
        if cls not in self._global:
            name = cls.rpartition(":")[2].rpartition(".")[2]
            sites = (
                site
                for site in self._calls.calls_named(name)
                if not site.function.qualname and not site.call.use & Use.GUARDED and not among_tests(site.file.path)
            )
            known = (
                site
                for site in sites
                if any(goal.isidentifier() for goal in site.call.goes)
                and any(value.name == cls for value in self._calls.meaning(site).values)
            )
            note = next((Note(site_place(site), "this object is one for all tasks") for site in known), None)
            self._global[cls] = note
        return self._global[cls]
