"""A loop that takes items out of what it runs over fails, or leaves items out.

A dict, set or deque that changes its size while a `for` runs over it raises a `RuntimeError` in the next round.  A list
raises nothing: each removal moves the rest one place forward, and the loop steps over the item that moved up.

Run over a copy, `for key in list(d):`; or build a new container of what is to stay, `items = [x for x in items if …]`.

Found too: removals in functions that the loop calls, in the elements of comprehensions, and by the numbers of
`range(len(items))`, which then run past the end.

Not reported: loops over copies, removals after which the loop is left (`break`, `return`, `raise`), new values for keys
that are there, lists that grow while they are worked off, and loops whose body gives the name to another object.
Of a container of unknown type only the removal of the item at hand counts: other types may hand out copies.  Loops over
`keys()` of such are shown to those who ask for this rule by name; so are loops over what a method of an unknown object
gave, from which `remove` takes the item (it may be a widget with its children); so are loops over lists that a `while`
around them repeats until the list is empty, and those that only take out what is, or has, the very thing that they look
for, of which there is most often one.

Where another *thread* changes the container, that is CON311.
See https://docs.python.org/3/tutorial/controlflow.html#for-statements.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.knowledge.containers import HASHED
from conclint.model import Finding, Fix, Note
from conclint.program.triggers import Triggers
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source
    from conclint.source.walking import Disturbed


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.onewanted import looks_for_one
    from conclint.source.testcode import expects_trouble
    from conclint.source.walking import disturbed, is_worked_off

    for found in disturbed(source):
        if not expects_trouble(source, found.loop):
            name = source.code(found.over.container)
            yield Finding(
                source.place(found.over.walked),
                f"`{name}` {_event(found)} while the loop runs over it: {_outcome(found)}; {_advice(source, found)}",
                notes=tuple(_notes(source, found)),
                fix=_copied(source, found),
                when_asked=not found.surely or is_worked_off(source, found) or looks_for_one(source, found),
            )


def _event(found: Disturbed) -> str:
    return "gets items" if found.grows else "loses items"


def _outcome(found: Disturbed) -> str:
    from conclint.source.walking import LIST

    if found.types & HASHED:
        return "RuntimeError"
    return "it leaves items out" if LIST in found.types else "it fails or leaves items out"


def _advice(source: Source, found: Disturbed) -> str:
    from conclint.source.walking import may_be_copied

    if may_be_copied(found):
        return f"run over `list({source.code(found.over.walked)})`"
    return "build a new one of what is to stay"


def _notes(source: Source, found: Disturbed) -> Iterator[Note]:
    if found.place is not None:
        yield Note(source.place(found.change), f"`{found.by}` is called in the loop")
        yield Note(found.place, "and takes an item out here")
    else:
        yield Note(source.place(found.change), f"an item is {'put in' if found.grows else 'taken out'} here")


def _copied(source: Source, found: Disturbed) -> Fix | None:
    from conclint.source.walking import may_be_copied

    if not may_be_copied(found):
        return None  # its numbers would be wrong
    return Fix("run over a copy", (source.replace(found.over.walked, f"list({source.code(found.over.walked)})"),))


RULE = Rule(
    code="CON310",
    name="changed-while-iterated",
    triggers=Triggers(walks=True),
    check=check,
    examples=(
        Bad(
            """
            def prune(sessions, now):
                for name, session in sessions.items():  # expect: CON310
                    if session.expires < now:
                        del sessions[name]
            """,
            fixed="""
            def prune(sessions, now):
                for name, session in list(sessions.items()):  # expect: CON310
                    if session.expires < now:
                        del sessions[name]
            """,
        ),
        Bad("""
            for k in d:  # expect: CON310
                if bad(k): d.pop(k)
            """),
        Bad("""
            class Hub:
                def __init__(self):
                    self.listeners = []
                    self.rooms = {}
                    self.seen: set[str] = set()

                def tell(self, event):
                    for listener in self.listeners:  # expect: CON310
                        try:
                            listener(event)
                        except ConnectionError:
                            self.listeners.remove(listener)

                def leave(self, room, person):
                    for other in self.rooms[room]:  # expect: CON310
                        if other == person:
                            self.rooms[room].remove(other)

                def sweep(self):
                    for room in self.rooms:  # expect: CON310
                        if not self.rooms[room]:
                            self._drop(room)

                def _drop(self, room):
                    self.seen.discard(room)
                    del self.rooms[room]

                def spread(self):
                    for name in self.seen:  # expect: CON310
                        self.seen.add(name.lower())
            """),
        Bad("""
            PENDING = {}


            def forget(key):
                PENDING.pop(key)


            def drop(table, key):
                del table[key]


            def sweep(table):
                for key in PENDING.keys():  # expect: CON310
                    forget(key)
                keys = table.keys()
                for key in keys:  # expect: CON310
                    drop(table, key)
                return [PENDING.pop(key) for key in PENDING if key in table]  # expect: CON310
            """),
        Bad("""
            def compact(numbers: list[int]):
                for place, number in enumerate(numbers):  # expect: CON310
                    if not number:
                        del numbers[place]
                for place in range(len(numbers)):  # expect: CON310
                    if numbers[place] < 0:
                        numbers.pop(place)
            """),
        Good("""
            def prune(sessions, now, names):
                for name, session in list(sessions.items()):
                    if session.expires < now:
                        del sessions[name]
                for name in sessions.copy():
                    sessions.pop(name)
                for name in sorted(sessions):
                    del sessions[name]
                for name in names[:]:
                    names.remove(name)
                for name in names:
                    sessions.pop(name, None)  # another container
            """),
        Good("""
            def remove(items: list, wanted):
                for item in items:
                    if item.name == wanted:
                        items.remove(item)
                        break
                for item in items:
                    if item.name == wanted:
                        items.remove(item)
                        found = True
                    else:
                        found = False
                    if found:
                        return item
                for place in range(len(items) - 1, -1, -1):
                    if not items[place]:
                        del items[place]
                for item in reversed(items):
                    items.remove(item)
                for group in items:
                    for item in group:
                        if item is wanted:
                            items.remove(group)
                            return None
                raise KeyError(wanted)
            """),
        Good("""
            def work(jobs: list, table: dict):
                for job in jobs:  # grows while it is worked off
                    jobs.append(job.next)
                for key in table:
                    table[key] = table[key] + 1  # the same keys
                for key, value in table.items():
                    table[key] = value.strip()
            """),
        Good("""
            import os


            class Store:
                def __init__(self):
                    self._items = {}

                def __iter__(self):
                    return iter(list(self._items))

                def remove(self, key):
                    del self._items[key]


            def clear(store: Store):
                for key in store:
                    store.remove(key)
                for name in os.environ:  # gives a copy of its names
                    del os.environ[name]


            def reload(store):
                for key in store.keys:
                    store = load(key)
                    store.keys.remove(key)
            """),
    ),
)
