"""What an object makes for itself, and whether that knows of the object: who made what is a tree, never a circle."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.program.calls import Calls, Site
from conclint.program.scopes import Member
from conclint.program.values import Reach, Sort, Store

# What stands for "nothing yet".
EMPTY = ("", "$const")


class OwnParts:
    """Answers for one program; `cls` is the class of the object, `attribute` what holds the part."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._names = calls.names
        self._made: dict[tuple[str, str], tuple[Site, ...]] = {}

    def is_own(self, cls: str, attribute: str) -> bool:
        """Whether the object makes the part itself, in whatever method, and nobody gives it one."""
        return bool(self._makers(cls, attribute))

    def is_unaware(self, cls: str, attribute: str) -> bool:
        """... and the part is never told of the object that it belongs to."""
        made = self._makers(cls, attribute)
        return bool(made) and not any(self._tells(site) for site in (*made, *self._uses(cls, attribute)))

    def _makers(self, cls: str, attribute: str) -> tuple[Site, ...]:
        """The calls that make it; none where it may come from elsewhere."""
        key = (cls, attribute)
        if key not in self._made:
            store = Store("attribute", self._names.classes.attribute_owner(cls, attribute), attribute)
            puts = [put for put in self._names.stores.puts(store) if put[2] not in EMPTY]
            found = [
                Site(file, function, call)
                for file, function, path in puts
                for call in function.calls
                if f"{call.func}()" == path and any(goal.endswith(f".{attribute}") for goal in call.goes)
            ]
            made = {f"{site.call.func}()" for site in found if self._makes(site)}
            self._made[key] = tuple(found) if {path for _, _, path in puts} == made else ()
        return self._made[key]

    def _makes(self, site: Site) -> bool:
        return any(value.sort is Sort.CLASS for value in self._calls.meaning(site).values)

    def _uses(self, cls: str, attribute: str) -> Iterator[Site]:
        """The calls of the part's methods by the object, and what is bound to the part's attributes, as a call."""
        for file, function, receiver in self._members(cls, attribute):
            part = f"{receiver}{attribute}."
            yield from (Site(file, function, call) for call in function.calls if call.func.startswith(part))
            given = tuple(path for target, path in function.binds if target.startswith(part))
            if given and function.calls:
                yield Site(file, function, function.calls[0]._replace(args=given, keywords=()))

    def _members(self, cls: str, attribute: str) -> Iterator[Member]:
        for one in self._names.classes.family(cls):
            yield from self._names.scopes.naming(one, attribute)

    def _tells(self, site: Site) -> bool:
        """Whether the call hands over the object, or one of its methods."""
        for path in (*site.call.args, *(path for _, path in site.call.keywords)):
            meaning = self._names.meaning(site.file, site.function, path) if path and path[0] not in "=*$" else None
            whole = meaning is not None and meaning.store is None and meaning.reach is Reach.SELF
            bound = meaning is not None and any(one.reach is Reach.SELF and one.owner for one in meaning.values)
            if whole or bound or path.startswith("$lambda"):
                return True
        return False
