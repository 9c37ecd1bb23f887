"""What the library's names give: what calling them returns, what their attributes are."""

from __future__ import annotations

import builtins
from functools import cached_property

from conclint.index.facts import FunctionFact, Kind
from conclint.knowledge.kinds import Knowledge
from conclint.knowledge.unshared import GENERATOR
from conclint.program.values import Sort, Value

# The classes of what literals make.
LITERALS = {**{f"${kind}": f"builtins.{kind}" for kind in ("list", "dict", "set", "tuple")}, "$generator": GENERATOR}

# What these decorate gives what it gives without them.
PLAIN = frozenset({"staticmethod", "classmethod"})


def generated(function: FunctionFact) -> list[Value]:
    """What calling a function with a `yield` gives, unless a decorator makes something else of it."""
    plain = not function.kind & Kind.ASYNC and PLAIN.issuperset(function.decorators)
    return [Value(Sort.INSTANCE, GENERATOR)] if plain else []


class Library:
    """Answers about library names, out of what is known of them."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge

    def made(self, value: Value) -> Value | None:
        """What calling a library's name returns; an inherited `__enter__` gives the object itself."""
        if value.name.endswith(".__enter__"):
            returned = self._knowledge.returns.get(value.name)
            return Value(Sort.INSTANCE, returned or value.owner or value.name[: -len(".__enter__")])
        if value.name == "builtins.super" and value.owner:
            return Value(Sort.LIBRARY, "builtins.super", value.owner)
        for name in self.spellings(value.name):
            returned = self._knowledge.returns.get(name)
            if returned is not None:
                return Value(Sort.INSTANCE, returned)
        last = value.name.rpartition(".")[2].lstrip("_")
        known = value.name in self._knowledge.bases or value.name in self._knowledge.mutators
        if last[:1].isupper() or known or value.name.startswith("builtins."):
            return Value(Sort.INSTANCE, value.name)
        return None

    def spellings(self, name: str) -> tuple[str, ...]:
        """A library method under its class and under each base of it; any other name as it is."""
        owner, dot, method = name.rpartition(".")
        if not dot or owner not in self._knowledge.bases:
            return (name,)
        return tuple(f"{one}.{method}" for one in self._knowledge.ancestors(owner))

    def member(self, owner: str, name: str) -> Value:
        """An attribute of a library class: an object of a known class, or a method under its documented name."""
        full = self._knowledge.canonical(f"{owner}.{name}")
        for one in self.spellings(full):
            if one in self._knowledge.attributes:
                return Value(Sort.INSTANCE, self._knowledge.attributes[one])
        return Value(Sort.LIBRARY, full)

    @cached_property
    def names(self) -> frozenset[str]:
        """Names that a star import from outside may bind."""
        known = self._knowledge
        return frozenset((*known.spawners, *known.locks, *known.bases, *known.returns, *known.thread_safe))


def may_have(base: str, name: str) -> bool:
    """Whether a library class can have the attribute: of built-in types it is known which they have."""
    module, _, last = base.rpartition(".")
    return module != "builtins" or hasattr(getattr(builtins, last, None), name)
