"""What a path can mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

HEAD = re.compile(r"[^.\[(]*", re.DOTALL)
STEP = re.compile(r".[^.\[(]*", re.DOTALL)


class Sort(Enum):
    """The sorts of things a name can denote."""

    MODULE = "module"  # a file of the program; `name` is its path
    LIBRARY = "library"  # anything outside; `name` is its canonical dotted name
    CLASS = "class"  # a class of the program; `name` is its id
    FUNCTION = "function"  # a function of the program; `name` is its id
    INSTANCE = "instance"  # an object; `name` is its class, of the program or the library

    __hash__ = object.__hash__  # each is one object, and Enum's own is slow


class Reach(Enum):
    """Whose object a bound method's receiver is."""

    SELF = "self"  # the caller's own `self`
    SHARED = "shared"  # one object that many can reach: a global, a captured variable
    FRESH = "fresh"  # made in the calling function
    OTHER = "other"  # nobody knows

    __hash__ = object.__hash__


class Value(NamedTuple):
    """One thing that a path can denote; for a bound method `owner` is the receiver's class and `reach` whose it is."""

    sort: Sort
    name: str
    owner: str = ""
    reach: Reach = Reach.OTHER


class Store(NamedTuple):
    """A place that holds values: a local of a function, a global of a file, an attribute of a class.

    `owner` is the function id, the file path or the class id; `path` the name and the steps behind it (`threads[]`).
    """

    sort: str  # "local", "global" or "attribute"
    owner: str
    path: str

    @property
    def root(self) -> Store:
        """The variable itself, without the steps into its value."""
        return Store(self.sort, self.owner, head_of(self.path))


class Meaning(NamedTuple):
    """All that a path can denote where it stands, and the store it names, if it names one."""

    values: tuple[Value, ...] = ()
    store: Store | None = None
    reach: Reach = Reach.OTHER


def head_of(path: str) -> str:
    """The first name of a path."""
    found = HEAD.match(path)
    return found.group() if found is not None else ""


def steps_of(path: str) -> tuple[str, ...]:
    """A path as its head and its steps: `a.b()[]` is `a`, `.b`, `()`, `[]`."""
    return tuple(STEP.findall(path)) or ("",)


def function_id(path: str, qualname: str) -> str:
    """The id of a function or class: its file and its qualified name."""
    return f"{path}:{qualname}"


def module_name(path: str) -> str:
    """The last name of the module or package that the file at `path` is."""
    return path.removesuffix("/__init__.py").removesuffix(".py").rpartition("/")[2]


def split_id(identity: str) -> tuple[str, str]:
    """The file and the qualified name of an id; a path may contain colons, and the name of a lambda does."""
    path, _, qualname = identity.rpartition(".py:")
    if path:
        return path + ".py", qualname
    path, _, qualname = identity.partition(":")
    return path, qualname


# So many meanings for one name tell nothing.
WIDEST = 8


def few(values: Sequence[Value]) -> tuple[Value, ...]:
    """Each value once, and not too many."""
    return tuple(values) if len(values) < 2 else tuple(dict.fromkeys(values))[:WIDEST]
