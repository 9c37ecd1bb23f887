"""What an expression makes, and whether a second one of it would do harm."""

from __future__ import annotations

import re

import libcst as cst

from conclint.source.paths import path_of
from conclint.source.source import Source

# Values: two equal ones are as good as one.
VALUES = (
    frozenset(
        (
            "builtins",
            "re",
            "datetime",
            "decimal",
            "fractions",
            "pathlib",
            "uuid",
            "ipaddress",
            "netaddr",
            "struct",
            "enum",
            "string",
        )
    )
    | frozenset(
        (
            "operator",
            "functools",
            "inspect",
            "typing",
            "math",
            "json",
            "os",
            "platform",
            "importlib",
            "hashlib",
            "textwrap",
        )
    )
    | frozenset(("urllib", "time", "base64", "binascii", "random", "itertools", "email", "locale", "shutil"))
)

# Library classes of these modules are values only in part.
RESOURCES = frozenset({"builtins.open", "os.open", "os.fdopen", "os.pipe", "urllib.request.urlopen"})

# These look up what there is one of for each name, and give the same object each time:
# docs.python.org/3/library/logging.html#logging.getLogger, threading.html#threading.current_thread,
# multiprocessing.html#multiprocessing.get_logger
LOOKED_UP = frozenset(
    {
        "logging.getLogger",
        "logging.getLoggerClass",
        "multiprocessing.get_logger",
        "multiprocessing.get_context",
        "threading.current_thread",
        "threading.main_thread",
    }
)

# What is called so makes something that holds on to more than memory.
MAKER = re.compile(
    r"(?:^|_)(?:connect|open|create|start|spawn|launch|new|session|client|pool|engine|socket|channel|allocate|acquire|register)"
    r"(?:_|$)|Popen$",
    re.IGNORECASE,
)

# What is called so makes one, whatever it is.
MAKING = frozenset({"make", "build", "_make", "_build"})

# What is called so in the manner of Windows asks for something that is there.
GETTER = re.compile(r"_*Get[A-Z]")

# What makes an object of the class at hand.
ALLOCATING = ("super().__call__", "super().__new__", "object.__new__")

CONTAINERS = (cst.List, cst.Dict, cst.Set)
EMPTY = frozenset(f"builtins.{name}" for name in ("list", "dict", "set", "bytearray")) | frozenset(
    f"collections.{name}" for name in ("deque", "defaultdict", "OrderedDict", "Counter")
)


class Makes:
    """Judges expressions of one file."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def one_too_many(self, value: cst.BaseExpression, *, containers: bool = False) -> bool:
        """Whether two threads should not both make it; `containers`: an empty one is filled by whoever made it."""
        if isinstance(value, CONTAINERS):
            return containers
        if isinstance(value, cst.Await):
            value = value.expression
        if isinstance(value, cst.IfExp):
            return self.one_too_many(value.body) or self.one_too_many(value.orelse)
        if isinstance(value, cst.BooleanOperation):
            return self.one_too_many(value.right)
        return isinstance(value, cst.Call) and self._called(value, containers=containers)

    def works(self, call: cst.Call) -> bool:
        """Whether the call runs code of the program, or makes something of which there should be one."""
        return bool(self._source.named(call.func).functions) or self.one_too_many(call)

    def computed(self, call: cst.Call) -> bool:
        """Whether the call is one of the program's own functions, of something that nobody knows, or asks a server."""
        names = self._source.names(call.func)
        known = any(name in EMPTY or name.partition(".")[0] in VALUES for name in names)
        return bool(self._source.named(call.func).functions) or not (known or names) or self._waits(call)

    def _waits(self, call: cst.Call) -> bool:
        """`requests.post(url).json()`."""
        knowledge = self._source.knowledge
        if any(knowledge.matches(knowledge.blocking, name) for name in self._source.names(call.func)):
            return True
        inner = call.func.value if isinstance(call.func, cst.Attribute) else None
        return isinstance(inner, cst.Call) and self._waits(inner)

    def _called(self, call: cst.Call, *, containers: bool) -> bool:
        names = self._source.names(call.func)
        if any(name in EMPTY for name in names):
            return containers
        if any(name in LOOKED_UP for name in names):
            return False
        if any(name in RESOURCES for name in names):
            return True
        if any(":" in name for name in names):
            return True
        if path_of(call.func).rpartition(".")[2] in MAKING:
            return True
        made = self._made(call)
        if any(":" in name for name in made) or path_of(call.func) in ALLOCATING:
            return True
        library = made or names
        if any(name.partition(".")[0] in VALUES for name in library):
            return False
        last = path_of(call.func).rpartition(".")[2]
        if GETTER.match(last):
            return False
        return last[:1].isupper() or bool(MAKER.search(last)) or bool(made)

    def _made(self, call: cst.Call) -> tuple[str, ...]:
        """The classes of what the call returns."""
        return self._source.named_at(self._source.qualname(call), path_of(call)).types
