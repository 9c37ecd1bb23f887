"""Objects of which a second one does no harm: they are what their constructor has made of them, for good."""

from __future__ import annotations

from conclint.index.facts import FunctionFact
from conclint.program.deeds import CHANGES, CONSTRUCTION
from conclint.program.files import File
from conclint.program.linking import Program
from conclint.program.values import Sort, Store

# What the constructors of plain objects call: values, and questions to the environment.
PLAIN = frozenset({"builtins", "os", "re", "pathlib", "json", "typing", "datetime", "time", "platform", "sys"})

# A base that adds nothing.
BASES = frozenset({"builtins.object", "abc.ABC", "typing.Generic", "typing.Protocol", "builtins.type"})


def is_alike(program: Program, store: Store) -> bool:
    """Whether whatever is put there is an object of the program that never changes, and has nothing to lose."""
    made = [value for value in program.names.held(store) if value.name != "builtins.None"]
    return bool(made) and all(
        value.sort is Sort.INSTANCE and ":" in value.name and _is_plain(program, value.name) for value in made
    )


def _is_plain(program: Program, cls: str) -> bool:
    for base in program.names.classes.mro(cls):
        if ":" not in base:
            if base not in BASES:
                return False
            continue
        file, fact = program.names.scopes.class_(base)
        if file is None or fact is None:
            return False
        functions = [file.body.functions[qualname] for _, qualname in fact.methods]
        if not all(_is_quiet(program, file, function) for function in functions):
            return False
    return True


def _is_quiet(program: Program, file: File, function: FunctionFact) -> bool:
    """Whether a method changes nothing of its object; a constructor may, with what is plain."""
    if not function.params:
        return True
    own = function.params[0].name + "."
    if function.name in CONSTRUCTION:
        called = (program.names.meaning(file, function, call.func).values for call in function.calls)
        return all(value.name.partition(".")[0] in PLAIN for values in called for value in values)
    done = program.deeds.of(file, function)
    changed = (path for path, bits in done.bits.items() if bits & CHANGES)
    return not any(path.startswith(own) for path in (*changed, *done.mutated))
