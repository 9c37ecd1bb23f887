"""What the index remembers of one file: plain tuples, no tree.

An expression is remembered as a *path*: its text reduced to what decides its meaning.

    threading.Thread     names and attributes           $list $dict $set $tuple $const    a literal's type
    f()                  what a call returns             $lambda:3:9    the lambda that begins at line 3, column 9
    d[]   d[*]           an item; what iteration yields  t.0            the first field of a tuple
    p.__truediv__()      what `p / x` gives
    :queue.Queue         an instance of the class (from an annotation)   "" nothing that can be followed
    =True  =4  =fork     a small constant, in arguments, for `daemon` and for defaults (True, False, None) only

Among what a function binds, `$return.0` and `$yield` stand for parts of what it gives, `$while` for what its loops ask
each time round ("": they run for ever), and `$with.name.3.9` for `name` in the block of a `with` on these lines.
The lines of `$if.name.3.9` and `$unless.name.3.9` are only reached where the parameter is true, or false; those of
`$given` and `$none`, where it is not None, or None.

Lines and columns count from 1; columns count characters.
"""

from __future__ import annotations

from typing import Final, NamedTuple

# Behind the path of what is a whole statement: it is named, and nothing is done with it.
ALONE: Final = ".$alone"

# In front of a variable for which a display makes a container, outside of loops and inside; what is bound is "".
ONCE: Final = "$once."
EACH: Final = "$each."

# Among what a class binds: the class of the class.
METACLASS: Final = "$metaclass"

# `folder / name`: by its left side such a path is of the same kind.
JOINED: Final = ".__truediv__()"

# A path longer than this says more about the author's chains than about threads.
LONGEST: Final = 120


class Use:
    """How a call stands in its function: bits of a plain `int`, which costs a tenth of an IntFlag."""

    NONE: Final = 0
    LOOP: Final = 1  # inside a loop or comprehension of this function
    AWAITED: Final = 2
    WITH: Final = 4  # the manager of a `with` item
    DROPPED: Final = 8  # the whole statement: nobody looks at the result
    DECORATOR: Final = 16
    GUARDED: Final = 32  # below `if __name__ == "__main__":`
    SHORT: Final = 64  # every loop around it runs over a short literal
    BRANCH: Final = 128  # below an `if`, `except` or conditional expression
    WHILE: Final = 256  # inside a `while` loop of this function, its test included


class Touch:
    """What a function does to a name or attribute, as far as syntax tells: bits of a plain `int`."""

    READ: Final = 1
    WRITE: Final = 2  # rebinds it
    ITEM: Final = 4  # sets or deletes an item of it
    AUGMENTED: Final = 8  # reads and writes it in one statement
    SEEN: Final = 16  # reads it for more than to set an item of it
    DELETED: Final = 32  # deletes an item of it


class Kind:
    """What kind of code a function is: bits of a plain `int`, which costs a tenth of an IntFlag."""

    FUNCTION: Final = 1
    ASYNC: Final = 2
    LAMBDA: Final = 4
    MODULE: Final = 8
    GENERATOR: Final = 16
    CATCHES: Final = 32  # what it does in the end happens in a `try` that lets no exception pass
    SWALLOWS: Final = 64  # ... and says nothing of what it catches
    ENDLESS: Final = 128  # ends in a `while True` that nothing in it leaves, though it may yield or wait


class CallFact(NamedTuple):
    """One call: what is called, with what, and where the result goes (`goes`: target paths, `$return`, `$arg`, …)."""

    func: str
    line: int
    column: int
    args: tuple[str, ...]
    keywords: tuple[tuple[str, str], ...]
    use: int
    goes: tuple[str, ...]


class ParamFact(NamedTuple):
    """One parameter; `kind` is "" for an ordinary one, "*" or "**" for a collecting one."""

    name: str
    kind: str
    default: str


class FunctionFact(NamedTuple):
    """One function, lambda or module body.  `owner` is the class whose method it is."""

    qualname: str
    kind: int
    owner: str
    line: int
    params: tuple[ParamFact, ...]
    decorators: tuple[str, ...]
    globals: tuple[str, ...]
    nonlocals: tuple[str, ...]
    binds: tuple[tuple[str, str], ...]
    calls: tuple[CallFact, ...]
    touches: tuple[tuple[str, int, int], ...]  # path, Touch bits, first line
    returns: tuple[str, ...]
    work: int  # arithmetic, comparisons and subscripts inside loops that may run long
    depth: int  # how deep such loops nest

    @property
    def enclosing(self) -> str:
        """The qualified name of the scope around it ("" for the module)."""
        return self.qualname.rpartition(".")[0]

    @property
    def name(self) -> str:
        return self.qualname.rpartition(".")[2].partition("#")[0]

    @property
    def wrappers(self) -> tuple[str, ...]:
        """The decorators as paths that mean something inside it: a function of its class is its object's."""
        paths = tuple(one.removesuffix("()") for one in self.decorators)
        receiver = self.params[0].name if self.owner and self.params and paths else ""
        return (*paths, *(f"{receiver}.{one}" for one in paths if receiver and "." not in one))


class ClassFact(NamedTuple):
    """One class: bases as paths, methods as (name, function), class-level binds as (attribute, path)."""

    qualname: str
    line: int
    bases: tuple[str, ...]
    decorators: tuple[str, ...]
    methods: tuple[tuple[str, str], ...]
    binds: tuple[tuple[str, str], ...]


class ImportFact(NamedTuple):
    """`name` means `target` (dots in front: relative) in the scope `scope`; name "*" is a star import."""

    scope: str
    name: str
    target: str


class DeclarationFact(NamedTuple):
    """What an author declares of threads, by comment or annotation.

    `said`: the lock, or the reason.  `about`: a "definition" (its name in `scope`), a statement in the "body" of the
    class `scope`, a "line" of the function `scope`, or nothing ("").  `targets`: what the statement assigns to.
    `first` and `last`: the lines that it covers.
    """

    kind: str
    said: str
    line: int
    column: int
    about: str
    scope: str
    targets: tuple[str, ...]
    first: int
    last: int


class WalkFact(NamedTuple):
    """A function that may walk over `path` and meanwhile take items out of it: itself, or in what it calls `by`."""

    function: str
    path: str
    by: str


class Header(NamedTuple):
    """The part of a file's index that is read for every file."""

    error: tuple[int, int, str] | None
    called: frozenset[str]  # last names of everything called
    touched: frozenset[str]  # last names of everything that is changed after it was made
    imports: tuple[ImportFact, ...]
    classes: tuple[tuple[str, tuple[str, ...]], ...]  # qualified name, bases as paths
    declarations: tuple[DeclarationFact, ...] = ()
    walks: tuple[WalkFact, ...] = ()


class RegionFact(NamedTuple):
    """A run of top-level statements, or one definition: first and last line.

    A class is cut further, since it may be long: `always` are the lines without which its `parts` (first and last line
    of each method) mean little: its head, its plain statements, its constructor.
    """

    first: int
    last: int
    always: tuple[tuple[int, int], ...]
    parts: tuple[tuple[int, int], ...]
