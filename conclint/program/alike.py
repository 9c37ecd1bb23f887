"""Objects of which a second one does no harm: they are what their constructor has made of them, for good."""

from __future__ import annotations

from conclint.index.facts import FunctionFact, Touch
from conclint.program.deeds import CHANGES, CONSTRUCTION
from conclint.program.files import File
from conclint.program.linking import Program
from conclint.program.values import Sort, Store, Value, split_id

# What the constructors of plain objects call: values, questions to the environment, loggers.
PLAIN = frozenset(
    {"builtins", "os", "re", "pathlib", "json", "typing", "datetime", "time", "platform", "sys", "logging"}
)
HELD = frozenset({"builtins.open", "os.open", "os.pipe"})

# How `__new__` makes the object.
ALLOCATED = frozenset({"super().__new__()", "object.__new__()"})

# Plain data with names for its items; the dict itself is most often written as a literal, or read from a file.
RECORDS = frozenset({"typing.TypedDict", "typing_extensions.TypedDict"})
ITEMS = Touch.ITEM | Touch.DELETED

# Objects in objects are followed so far.
DEEPEST = 3

# A base that adds nothing.
BASES = frozenset({"builtins.object", "abc.ABC", "typing.Generic", "typing.Protocol", "builtins.type"}) | frozenset(
    {"typing.NamedTuple", "typing.TypedDict", "typing_extensions.TypedDict"}
)


def is_alike(program: Program, store: Store) -> bool:
    """Whether whatever is put there is an object of the program, or a record, that never changes and loses nothing."""
    made = [value for value in program.names.held(store) if value.name != "builtins.None"]
    if any(RECORDS & {*program.names.classes.mro(value.name)} for value in made if ":" in value.name):
        made = [value for value in made if value.name != "builtins.dict"]
        if _has_items_changed(program, store):
            return False
    if not made and any(path in ALLOCATED for _, _, path in program.names.stores.puts(store)):
        made = [Value(Sort.INSTANCE, store.owner)]
    return bool(made) and all(
        value.sort is Sort.INSTANCE and ":" in value.name and _is_plain(program, value.name, DEEPEST) for value in made
    )


def _has_items_changed(program: Program, store: Store) -> bool:
    """Whether the file that keeps the data fills or changes it afterwards."""
    file = program.names.files[split_id(store.owner)[0]]
    touches = (touch for function in file.functions() for touch in function.touches)
    return any(bits & ITEMS and path.rpartition(".")[2] == store.path for path, bits, _ in touches)


def _is_plain(program: Program, cls: str, depth: int) -> bool:
    for base in program.names.classes.mro(cls):
        if ":" not in base:
            if base not in BASES:
                return False
            continue
        file, fact = program.names.scopes.class_(base)
        if file is None or fact is None:
            return False
        functions = [file.body.functions[qualname] for _, qualname in fact.methods]
        if not depth or not all(_is_quiet(program, file, function, depth - 1) for function in functions):
            return False
    return True


def _is_quiet(program: Program, file: File, function: FunctionFact, depth: int) -> bool:
    """Whether a method changes nothing of its object; a constructor may, with what is plain."""
    if not function.params or "classmethod" in function.decorators:
        return True  # what it changes is the class's, of which there is one
    own = function.params[0].name + "."
    if function.name in CONSTRUCTION:
        called = (program.names.meaning(file, function, call.func).values for call in function.calls)
        return all(_gives_plain(program, value, depth) for values in called for value in values)
    done = program.deeds.of(file, function)
    changed = (path for path, bits in done.bits.items() if bits & CHANGES)
    return not any(path.startswith(own) for path in (*changed, *done.mutated))


def _gives_plain(program: Program, value: Value, depth: int) -> bool:
    """Whether what a constructor calls is a function of the program, a plain class, or a question."""
    if value.sort is Sort.CLASS and ":" in value.name:
        return _is_plain(program, value.name, depth)
    plain = value.name.partition(".")[0] in PLAIN and value.name not in HELD
    return plain or ":" in value.name or value.name.endswith((".acquire", ".release"))
