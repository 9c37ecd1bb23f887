"""What the close look at one file saw of state, locks and calls: plain data that `conclude` puts together."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from conclint.knowledge.kinds import Setting, Unshared
from conclint.model import Failure, Finding, Place
from conclint.program.values import Reach, Store


class Act(Enum):
    """What is done to a piece of state."""

    READ = "read"
    REPLACE = "replace"  # rebinds the name or attribute: one step
    CHANGE = "change"  # changes the object in one step: `append`, `d[k] = v`
    UPDATE = "update"  # reads and writes a name or attribute in two steps: `x += 1`
    UPDATE_ITEM = "update item"  # the same for an item: `d[k] += 1`
    CHECK_ACT = "check then act"  # tests it and acts on the answer
    LAZY_INIT = "lazy initialisation"  # creates it where it is missing
    ITERATE = "iterate"  # walks over it, item by item
    COMPOUND = "compound"  # other steps that only look like one
    UNSTEADY = "changes visibly"  # without the GIL others can see it half done: `sort`, `insert`
    RELY = "test and use"  # tests it and uses it as if it stayed so

    @property
    def reads_first(self) -> bool:
        """Whether it acts on what it saw before."""
        return self in (Act.UPDATE, Act.UPDATE_ITEM, Act.CHECK_ACT, Act.LAZY_INIT, Act.COMPOUND, Act.RELY)

    @property
    def writes(self) -> bool:
        return self not in (Act.READ, Act.ITERATE, Act.RELY)


# The operation of whoever wants to be the first, and the only one.
ONCE = "once"

# The operation of whoever takes the next item where there is one.
NEXT = "next item"

# The operation of whoever reads an item that was there a moment ago.
ITEM = "item"

# The operation of whoever adds an item where there is room for it.
SIZED = "len"

# The operation of whoever computes what is missing: a value, as far as anybody can tell.
MEMO = "memo"

# The operation of whoever looks into a container: at an item, its length, whether something is in it.
LOOK = "look"

# The operation of whoever builds a new container from the old one, and puts it into its place.
REBUILT = "rebuilt"

# The operations of whoever walks over a container that is an item, and of whoever puts items into it or takes them out.
ITEM_WALKED = "walks over an item"
ITEM_CHANGED = "changes an item"
OF_ITEMS = (ITEM_WALKED, ITEM_CHANGED)

# Reads that are more than one look at one value.
TOLD = (LOOK, *OF_ITEMS)

# The operation of whoever changes the item that goes by the number it was given.
OWN = "own item"

# The operation of whoever empties a list: `del items[:]`.
CUT = "del [:]"

# The operations of whoever empties a container whose items were used before: copied or walked over; or handed on.
EMPTIED = "emptied"
SPENT = "emptied after it was handed on"

# The operation of whoever asks for an item, and then for the item itself.
LOOKED_UP = "looked up"

# The operation of whoever keeps the largest or smallest.
BEST = "best"

# Acts that may do no harm twice, or happen to something of one's own.
SOFT = (ONCE, SIZED, MEMO, OWN, SPENT, LOOKED_UP, BEST)

# Numbers that somebody looks at now and then; one more or less does no harm.
STATISTICS = re.compile(r"stat|metric|count|total|bytes|hits|miss|num_|n_|_num|seen|depth", re.IGNORECASE)

# Losing one of two at the same time is what the lock is for.
UPDATES = (Act.UPDATE, Act.UPDATE_ITEM)


@dataclass(frozen=True)
class Point:
    """When something happens in its function.

    `line` is where it stands, `until` the last line after which it surely does not happen any more (the end of the loop
    around it); `after` are the first and last lines of the joins and pools in the function that surely ended first;
    `joined`: one of them was the join of a thread.  `under`: what is the case there, as far as that stays so: a setting
    by its path, or with "not " before it.
    """

    function: str
    line: int
    until: int
    after: tuple[tuple[int, int], ...] = ()
    joined: bool = False
    under: tuple[str, ...] = ()

    def excludes(self, other: Point) -> bool:
        """Whether only one of both can happen in one run of the program."""
        opposite = {one[4:] if one[:4] == "not " else f"not {one}" for one in self.under}
        return not opposite.isdisjoint(other.under)


@dataclass(frozen=True)
class Access:
    """`function` does `act` to `store` while it holds the locks `held`.

    `text` is the state as written there, `operation` the method or sign that does it (`append`, `del`, `+=`).  `key`:
    the constant item that is meant, where one is.  `resizes`: the act can change which items a container has.
    `constructing`: the object is still being made.  `through_class`: the state is the class's own.  `holder`:
    what holds the object whose attribute it is, unless that is `self`.  `own_item`: it is about an item that goes by
    what the method's own object says of itself.
    """

    store: Store
    act: Act
    point: Point
    place: Place
    text: str
    operation: str = ""
    key: str = ""
    held: tuple[str, ...] = ()
    resizes: bool = False
    constructing: bool = False
    through_class: bool = False
    reach: Reach = Reach.OTHER
    holder: Store | None = None
    own_item: bool = False

    @property
    def function(self) -> str:
        return self.point.function


@dataclass(frozen=True)
class HeldCall:
    """A call of `path` (as written) made while locks are held; or one that starts something.

    `asked`: the names that decide whether the start happens, where the function goes on behind it.
    """

    point: Point
    path: str
    held: tuple[str, ...]
    asked: tuple[str, ...] = ()


@dataclass(frozen=True)
class Holder:
    """Whoever enters `function` as a context manager, or is decorated by it, runs with the locks `held`."""

    function: str
    held: tuple[str, ...]


@dataclass(frozen=True)
class Output:
    """Something is written to the terminal while the locks `held` are held.

    `stream`: "stdout" or "stderr".  `whole`: one or more whole lines in one step.  `caught`: where an exception is.
    `again`: in a loop.
    """

    point: Point
    place: Place
    text: str
    held: tuple[str, ...] = ()
    stream: str = "stdout"
    whole: bool = False
    caught: bool = False
    again: bool = False


@dataclass(frozen=True)
class Change:
    """A `setting` of the whole process is changed by `name` (written `text`) while the locks `held` are held.

    `caught`: the ValueError that the main thread's settings raise elsewhere is expected.
    """

    setting: Setting
    name: str
    point: Point
    place: Place
    text: str
    held: tuple[str, ...] = ()
    caught: bool = False


# The operation of a use that changes nothing.
READS = "reads"


@dataclass(frozen=True)
class Used:
    """An object of `type`, a kind that one thread at a time may use, is used: `access.operation` is the method.

    `handed`: several threads are given the bound method itself.
    """

    kind: Unshared
    type: str
    access: Access
    handed: bool = False


@dataclass(frozen=True)
class Acquire:
    """`function` takes a lock, written `text`, while it holds the locks `held`."""

    function: str
    lock: str
    place: Place
    text: str
    held: tuple[str, ...] = ()


@dataclass(frozen=True)
class Critical:
    """A call that `function` makes while it holds the locks `held`, outermost first; or a property that it reads."""

    function: str
    place: Place
    text: str
    held: tuple[str, ...]
    read: bool = False


@dataclass(frozen=True)
class Straddle:
    """A coroutine acts on what it saw of some state after it has waited, at `wait`: the `access` is the act.

    `access.held` are the locks that are held all the while.  `soft`: it may do no harm twice.  `own_item`: it is about
    one item of many, most likely another one in each task.
    """

    access: Access
    wait: Place
    soft: bool = False
    own_item: bool = False


@dataclass(frozen=True)
class Observations:
    """What one file shows of state, locks, calls, output, settings and objects."""

    accesses: tuple[Access, ...] = ()
    calls: tuple[HeldCall, ...] = ()
    holders: tuple[Holder, ...] = ()
    outputs: tuple[Output, ...] = ()
    changes: tuple[Change, ...] = ()
    used: tuple[Used, ...] = ()
    acquires: tuple[Acquire, ...] = ()
    criticals: tuple[Critical, ...] = ()
    straddles: tuple[Straddle, ...] = ()
    kept: tuple[Access, ...] = ()  # what coroutines change under locks


@dataclass(frozen=True)
class Inspection:
    """All that one file shows: findings by rule code, observations for the fold, and our own faults."""

    findings: tuple[tuple[str, Finding], ...] = ()
    observations: Observations = Observations()
    failures: tuple[Failure, ...] = ()
