"""What the close look at one file saw of state, locks and calls: plain data that `conclude` puts together."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from conclint.model import Place
from conclint.program.values import Store


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

    @property
    def reads_first(self) -> bool:
        """Whether it acts on what it saw before."""
        return self in (Act.UPDATE, Act.UPDATE_ITEM, Act.CHECK_ACT, Act.LAZY_INIT, Act.COMPOUND)

    @property
    def writes(self) -> bool:
        return self not in (Act.READ, Act.ITERATE)


@dataclass(frozen=True)
class Access:
    """`function` does `act` to `store` while it holds the locks `held`.

    `text` is the state as written there.  `resizes`: the act can change which items a container has.  `constructing`: the
    object is still being made.  `before`: lines of the starts in this function that surely come later; `after`: lines
    of the joins in it that surely came first.  `through_class`: written `Class.name`, not `self.name`.
    """

    store: Store
    act: Act
    function: str
    place: Place
    text: str
    held: tuple[str, ...] = ()
    resizes: bool = False
    constructing: bool = False
    through_class: bool = False
    fresh: bool = False
    before: tuple[int, ...] = ()
    after: tuple[int, ...] = ()


@dataclass(frozen=True)
class HeldCall:
    """A call made while locks are held, or before a start, or after a join (as in Access)."""

    function: str
    line: int
    column: int
    held: tuple[str, ...]
    before: tuple[int, ...] = ()
    after: tuple[int, ...] = ()


@dataclass(frozen=True)
class Observations:
    """All that one file shows."""

    accesses: tuple[Access, ...] = ()
    calls: tuple[HeldCall, ...] = ()
