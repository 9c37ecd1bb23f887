"""Places that mean to make one object for everybody who asks, in modules that know of threads."""

from __future__ import annotations

import re
from collections.abc import Iterator

from conclint.index.facts import METACLASS, FunctionFact, Use
from conclint.program.calls import Calls, Site
from conclint.program.everybodys import META
from conclint.program.files import File
from conclint.program.observations import SOFT, Access, Act
from conclint.program.values import Sort, function_id, module_name, split_id

# Modules of which whoever imports them knows that threads exist.
THREADS = re.compile(r"^(?:threading|_thread|concurrent\.futures|multiprocessing\.(?:dummy|pool))(?:\.|$)")

# What is called so is called once, when the program begins; or in an event loop.
ONCE = re.compile(r"setup|init|enable|install|config|start|register|async|aio")

# Callers of callers are followed so far.
DEEPEST = 4


class OnlyOne:
    """Answers for one program."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._names = calls.names

    def is_meant(self, access: Access) -> bool:
        """Whether the access looks for the one object before it makes it, where threads may ask for it."""
        if access.act not in (Act.LAZY_INIT, Act.CHECK_ACT) or access.operation in SOFT:
            return False
        file, function = self._calls.function(access.function)
        if self._makes_objects(file, function):
            of_classes = function.name == "__call__"
            one_per_class = of_classes and (access.act is Act.LAZY_INIT or self._takes_its_parts(file, function.owner))
            return _knows(file) and not one_per_class and not self._begins(access.function, DEEPEST)
        one_for_all = access.through_class or access.store.sort == "global"
        asked = (
            one_for_all
            and access.act is Act.LAZY_INIT
            and not ONCE.search(file.path)
            and not ONCE.search(function.name)
        )
        return asked and _knows(file) and self._hands_out(file, function, access)

    def _makes_objects(self, file: File, function: FunctionFact) -> bool:
        """`__new__`, or the `__call__` of a class of classes: it runs whenever somebody makes an object.

        A class of classes that keeps one object for each is mostly there for what lives as long as the program.
        """
        owner = function_id(file.path, function.owner) if function.owner else ""
        of_classes = bool(owner) and bool(META & {*self._names.classes.mro(owner)})
        return bool(owner) and (function.name == "__new__" or (function.name == "__call__" and of_classes))

    def _takes_its_parts(self, file: File, metaclass: str) -> bool:
        """Whether each of its classes is made of what some caller brings along: that is where the program begins."""
        classes = list(self._classes_of(function_id(file.path, metaclass)))
        return bool(classes) and all(
            any(site.call.args or site.call.keywords for site in self._making(cls)) for cls in classes
        )

    def _classes_of(self, metaclass: str) -> Iterator[str]:
        path, qualname = split_id(metaclass)
        near = self._calls.files.importing(qualname.rpartition(".")[2], module_name(path), near=path)
        for file in dict.fromkeys((self._calls.files[path], *near)):
            for fact in file.body.classes.values():
                for said in (said for name, said in fact.binds if name == METACLASS):
                    values = self._names.meaning(file, file.body.functions[""], said).values
                    if any(metaclass in self._names.classes.mro(value.name) for value in values):
                        yield function_id(file.path, fact.qualname)

    def _making(self, cls: str) -> Iterator[Site]:
        for site in self._calls.calls_named(split_id(cls)[1].rpartition(".")[2], split_id(cls)[0]):
            if any(value.name == cls for value in self._calls.meaning(site).values):
                yield site

    def _begins(self, function: str, depth: int) -> bool:
        """Whether the program comes there only once, from one place, as where it begins."""
        callers = self._calls.callers(function)
        if len(callers) != 1 or callers[0].call.use & Use.LOOP:
            return False
        further = self._calls.callers(callers[0].caller)
        return not further or (depth > 0 and self._begins(callers[0].caller, depth - 1))

    def _hands_out(self, file: File, function: FunctionFact, access: Access) -> bool:
        """Whether the function gives it to whoever calls, and it is an object of the program's own.

        What it is made of must not come from the caller: who knows that is where the program begins.
        """
        put = [path for target, path in function.binds if target == access.text]
        params = {param.name for param in function.params}
        made_of = (call for call in function.calls if access.text in call.goes)
        if any(params & {*call.args, *(path for _, path in call.keywords)} for call in made_of):
            return False
        values = (value for path in put for value in self._names.meaning(file, function, path).values)
        made = any(value.sort is Sort.INSTANCE and ":" in value.name for value in values)
        returned = (self._names.meaning(file, function, path).store for path in function.returns if path)
        return made and any(store == access.store for store in returned)


def _knows(file: File) -> bool:
    return any(THREADS.search(one.target) for one in file.header.imports)
