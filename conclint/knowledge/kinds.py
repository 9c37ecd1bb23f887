"""The shapes of what is known about library names: one frozen value per line of a table.

All names are canonical dotted names as documented (`concurrent.futures.ThreadPoolExecutor.submit`): a method is
named below its class, and an instance's method is looked up along the class's bases.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

LONGEST_ALIAS_CHAIN = 4  # a project's aliases may go in a circle


class Context(Enum):
    """What runs a piece of code."""

    MAIN = "main"
    THREAD = "thread"
    PROCESS = "process"
    LOOP = "event loop"
    SIGNAL = "signal handler"
    FINALIZER = "finalizer"


class Target(Enum):
    """Where a spawner finds the code that it runs."""

    ARGUMENT = "argument"  # a callable among the arguments
    METHODS = "methods"  # methods of the class itself, as a subclass defines them
    HANDLER = "handler"  # methods of the class that an argument names
    DECORATED = "decorated"  # the function that the name decorates
    ASSIGNED = "assigned"  # what was put into attributes of the object whose method is called


@dataclass(frozen=True)
class Spawner:
    """A call that makes other code run somewhere else.

    `position` (from 0) and `keyword` name the argument with the callable (or the handler class); with `rest` every
    later positional argument is one too.  `methods` are the entry methods (a trailing `*` matches a prefix): those of
    the handler class for HANDLER, the attributes for ASSIGNED, otherwise those that a subclass of the named class
    defines.  `many` says that one call can have the target run several times at once; otherwise a call in a loop or
    from several threads does.
    `handed`: the loop that calls ASSIGNED code runs where its caller runs, or where it is started as a target itself.
    `fresh` says that each run of an entry method has an object of its own.
    `also` tells of further callables that the same call takes.  A thread or process that is given an `async def` only
    makes a coroutine: its body runs elsewhere.
    """

    context: Context
    target: Target = Target.ARGUMENT
    position: int | None = 0
    keyword: str | None = None
    methods: tuple[str, ...] = ()
    many: bool = False
    rest: bool = False
    fresh: bool = False
    handed: bool = False
    also: tuple[Spawner, ...] = ()


@dataclass(frozen=True)
class LockKind:
    """What a lock type excludes: `among` threads, processes or the tasks of a loop; re-entrant by its holder or not."""

    among: Context
    reentrant: bool = False
    condition: bool = False
    counting: bool = False


class Setting(Enum):
    """What a process has once, for all its threads."""

    DIRECTORY = "working directory"
    ENVIRONMENT = "environment"
    MASK = "file mode mask"
    USER = "user"
    SIGNALS = "signal handlers"
    LOCALE = "locale"
    WARNINGS = "warning filters"
    FIGURE = "current figure"
    RANDOM = "random numbers"
    STREAMS = "standard streams"
    TEMPORARY = "folder for temporary files"
    FILE = "file of a fixed name"
    SESSION = "default session"
    PRESENCE = "file that was looked for"
    EMPTINESS = "queue that was asked whether it is empty"
    DIALOG = "dialogs"
    OTHER = "settings"


class Unshared(Enum):
    """Kinds of objects that one thread at a time may use."""

    SQLITE = "connection"
    CLIENT = "client"  # and whatever else has no kind of its own
    ORM = "session"
    CLOUD = "resource"
    WRITER = "file"
    ARRAY = "array"
    GENERATOR = "generator"
    WIDGET = "widget"  # only ever for the main thread


@dataclass(frozen=True)
class Knowledge:
    """All tables.  The built-in one is `conclint.knowledge.BUILTIN`; a project's configuration adds to it."""

    aliases: dict[str, str] = field(default_factory=dict)  # other documented spelling -> canonical name
    bases: dict[str, tuple[str, ...]] = field(default_factory=dict)  # library class -> its library bases
    returns: dict[str, str] = field(default_factory=dict)  # library callable (not a class) -> class of what it returns
    attributes: dict[str, str] = field(default_factory=dict)  # `Class.attribute`, `module.name` -> class of the value
    spawners: dict[str, Spawner] = field(default_factory=dict)
    locks: dict[str, LockKind] = field(default_factory=dict)
    thread_safe: frozenset[str] = frozenset()  # types whose methods may be called by several threads
    mutators: dict[str, frozenset[str]] = field(default_factory=dict)  # container type -> methods that change it
    atomic: frozenset[str] = frozenset()  # `builtins.list.append`: one step under the GIL, per the Python FAQ
    snapshots: frozenset[str] = frozenset()  # callables that copy a container in one step: `builtins.list`, …
    io: frozenset[str] = frozenset()  # callables or whole prefixes (`socket.`) that read or write the outside world
    blocking: frozenset[str] = frozenset()  # callables that may wait for long
    releases_gil: frozenset[str] = frozenset()  # callables or prefixes that compute with the GIL released
    holds_gil: frozenset[str] = frozenset()  # callables or prefixes known to compute with the GIL held
    durable: frozenset[str] = frozenset()  # callables that begin to write something an abrupt end would tear
    process_wide: dict[str, Setting] = field(default_factory=dict)  # callables, prefixes, variables -> what they set
    thread_unsafe: dict[str, Unshared] = field(default_factory=dict)  # type, or module and a dot -> its kind

    def canonical(self, name: str) -> str:
        """The documented name of `name`: its longest aliased prefix is replaced, and so on until none is left."""
        for _ in range(LONGEST_ALIAS_CHAIN):
            if (known := self._aliased(name)) == name:
                break
            name = known
        return name

    def _aliased(self, name: str) -> str:
        head = name
        while head:
            if head in self.aliases:
                return self.aliases[head] + name[len(head) :]
            head = head.rpartition(".")[0]
        return name

    def matches(self, table: frozenset[str], name: str) -> bool:
        """Whether `name` stands in `table` itself or below one of its prefixes (entries that end in a dot)."""
        if name in table:
            return True
        head = name
        while "." in head:
            head = head.rpartition(".")[0]
            if head + "." in table:
                return True
        return False

    def unsafe(self, types: Iterable[str]) -> Unshared | None:
        """The kind of object that one thread at a time may use, if one of these types is of such a kind."""
        for name in types:
            if name in self.thread_safe:
                return None
            module = name.rpartition(".")[0] + "."
            kind = self.thread_unsafe.get(name) or self.thread_unsafe.get(module)
            if kind is not None:
                return kind
        return None

    def ancestors(self, name: str) -> tuple[str, ...]:
        """The library class `name` and its library bases, nearest first."""
        found = [name]
        for known in found:
            found += [base for base in self.bases.get(known, ()) if base not in found]
        return tuple(found)

    def extended(self, more: Knowledge) -> Knowledge:
        """This knowledge with the entries of `more`, a project's own, laid over it."""
        return Knowledge(
            aliases=self.aliases | more.aliases,
            bases=self.bases | more.bases,
            returns=self.returns | more.returns,
            attributes=self.attributes | more.attributes,
            spawners=self.spawners | more.spawners,
            locks=self.locks | more.locks,
            thread_safe=self.thread_safe | more.thread_safe,
            mutators=self.mutators | more.mutators,
            atomic=self.atomic | more.atomic,
            snapshots=self.snapshots | more.snapshots,
            io=self.io | more.io,
            blocking=self.blocking | more.blocking,
            releases_gil=self.releases_gil | more.releases_gil,
            holds_gil=self.holds_gil | more.holds_gil,
            durable=self.durable | more.durable,
            process_wide=self.process_wide | more.process_wide,
            thread_unsafe=self.thread_unsafe | more.thread_unsafe,
        )
