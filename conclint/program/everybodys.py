"""State that is one for the whole process, and that functions test, create or update: globals and class attributes."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.index.facts import FunctionFact
from conclint.program.calls import Calls
from conclint.program.deeds import CONSTRUCTION, Deeds
from conclint.program.files import File
from conclint.program.state import User
from conclint.program.testfiles import among_tests
from conclint.program.values import Sort, Store, function_id, head_of

# The attributes of their objects are attributes of classes.
META = frozenset({"builtins.type", "abc.ABCMeta", "enum.EnumMeta"})


# A module that imports this knows of threads.
THREADING = "threading"


class Everybodys:
    """Finds it in one program, with the functions of its own file that touch it."""

    def __init__(self, calls: Calls, deeds: Deeds) -> None:
        self._names = calls.names
        self._deeds = deeds

    def all(self) -> dict[Store, tuple[User, ...]]:
        """Each with its users, where one of them acts in several steps."""
        found: dict[Store, dict[str, User]] = {}
        for file in self._names.files:
            if file.header.error is None and not among_tests(file.path):
                for store, user in self._in_file(file):
                    found.setdefault(store, {})[function_id(file.path, user.function.qualname)] = user
        tables = {store: tuple(users.values()) for store, users in found.items()}
        free = self._deeds.free_threaded
        acting = {
            store: users if free or _register_themselves(users) else tuple(filter(_acts, users))
            for store, users in tables.items()
        }
        return {
            store: acting[store]
            for store, users in tables.items()
            if _acted_on(users, walked=free or any(THREADING in user.file.roots for user in users))
        }

    def _in_file(self, file: File) -> Iterator[tuple[Store, User]]:
        module = file.function("")
        if module is None:
            return  # a file that cannot be parsed
        globals_ = self._names.scopes.bindings(file, module).keys()
        classes = {one.qualname.rpartition(".")[2] for one in file.body.classes.values()}
        of_classes = {name for one in file.body.classes.values() for name, _ in one.binds}
        for name in sorted(file.header.touched):
            for qualname, paths in file.body.functions.touching(name):
                for path in paths if qualname else ():
                    head = head_of(path)
                    if (path == name and name in globals_) or (
                        path == f"{head}.{name}" and (head in classes or head == "cls" or name in of_classes)
                    ):
                        yield from self._user(file, file.body.functions[qualname], path)

    def _user(self, file: File, function: FunctionFact, path: str) -> Iterator[tuple[Store, User]]:
        meaning = self._names.meaning(file, function, path)
        store = meaning.store
        if store is None or store.root != store or store.sort == "local":
            return
        if store.sort == "attribute" and not self._of_class(file, function, path, store):
            return
        done = self._deeds.of(file, function)
        changes = self._deeds.changes(file, function, path, store)
        yield store, User(file, function, changes, done.in_steps(path), personal=False)

    def _of_class(self, file: File, function: FunctionFact, path: str, store: Store) -> bool:
        owner = self._names.meaning(file, function, path.rpartition(".")[0])
        through = any(value.sort is Sort.CLASS for value in owner.values)
        return through or self._names.stores.of_class(store) or bool(META & {*self._names.classes.mro(store.owner)})


def _acts(user: User) -> bool:
    return user.changes or user.in_steps


def _acted_on(users: tuple[User, ...], *, walked: bool) -> bool:
    """Whether one of them reads and changes it, or an object that registers itself is made where there is none.

    `walked`: or one of them walks over what another one changes.
    """
    changed = [user for user in users if user.changes]
    if walked and changed and any(user.in_steps for user in users):
        return True
    return any(user.in_steps for user in changed) or _register_themselves(users)


def _register_themselves(users: tuple[User, ...]) -> bool:
    """Whether a constructor puts its object there: who makes one only reads the state itself."""
    return any(user.changes and user.function.name in CONSTRUCTION for user in users)
