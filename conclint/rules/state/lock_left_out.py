"""State that one lock guards everywhere else is used here without it.

The lock is its author's own word that several threads come here.  It keeps them apart only while everybody holds
it: one method that leaves it out changes the list that another one walks over, or takes the item that another one has
just found there, in the middle of a block that believes itself alone.

Hold the lock here too.  Where the caller holds it already, say so: name the helper `_drop_locked`, or write "the caller
holds the lock" into its docstring.  Where it is not needed, say why in a comment: `# append is atomic`.

A lock guards what is changed under it and used mostly under it, by more functions than leave it out; or what it was
made for alone; or what `# guarded by: self._lock` says of it (see CON002), single reads included.  Locks are followed
into private helpers, managers and decorators that take them, over conditions made of them, subclasses and files.

Not reported: constructors, copying, pickling and tearing down, what runs before a thread is started or after it is
joined; single reads, since a flag that is one moment old does no harm, and rebinding a flag or a number; the first
look of a double-checked lock; code that holds another lock, and code that nobody is known to call.  Shown to those who
select CON304: single steps beside single steps (`append` here, `pop` there), generators, which others drive, names that
coroutines bind anew, and what the same function updates under the lock as well.

Python's own documentation of locks: https://docs.python.org/3/library/threading.html#using-locks-conditions-and-semaphores-in-the-with-statement
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.index.facts import Kind
from conclint.model import Finding, Fix, Note
from conclint.program.evidence import Evidence
from conclint.program.guarding import Breach
from conclint.program.observations import Access, Act
from conclint.program.triggers import guarded_state
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source

# So many accesses under the lock are shown.
SHOWN = 3

DONE = {Act.ITERATE: "iterated", Act.READ: "read", Act.RELY: "tested and used"}


def conclude(evidence: Evidence) -> Iterator[Finding]:
    told = {race.moment.access.place for race in evidence.races if not race.weak and not race.by_lock}
    for breach in evidence.breaches:
        if breach.access.place not in told:  # where the threads themselves are known, other rules name them
            notes = tuple(_notes(breach))
            weak = breach.is_weak or (breach.declared is None and _is_aside(evidence, breach.access))
            yield Finding(breach.access.place, _message(breach), notes=notes, about=breach.fix, when_asked=weak)


def _is_aside(evidence: Evidence, access: Access) -> bool:
    """Whether whoever runs a generator has to see to it, or an event loop's own thread rebinds a name in one step."""
    _, function = evidence.program.calls.function(access.function)
    rebinds = access.act is Act.REPLACE and bool(function.kind & Kind.ASYNC)
    return rebinds or bool(function.kind & Kind.GENERATOR)


def _message(breach: Breach) -> str:
    done = DONE.get(breach.access.act, "changed")
    if breach.declared is not None:
        return f"`{breach.access.text}` is {done} without the lock declared to guard it; hold `{breach.lock_text}`"
    held = f"{breach.held} of {breach.total} accesses hold `{breach.lock_text}`"
    return f"`{breach.access.text}` is {done} without the lock that guards it: {held}; hold it here too"


def _notes(breach: Breach) -> Iterator[Note]:
    if breach.declared is not None:
        yield Note(breach.declared.place, f"`{breach.lock_text}` is declared to guard it here")
    first: dict[str, Access] = {}
    for access in sorted(breach.guarded, key=lambda one: (not one.act.writes, one.place)):
        first.setdefault(access.function, access)
    for access in list(first.values())[:SHOWN]:
        done = "changed" if access.act.writes else "used"
        yield Note(access.place, f"`{access.text}` is {done} here with `{breach.lock_text}` held")


def mend(source: Source, finding: Finding) -> Fix | None:
    from conclint.source.locking import hold

    return hold(source, finding.place.span, finding.about) if finding.about else None


RULE = Rule(
    code="CON304",
    name="lock-left-out",
    triggers=guarded_state(),
    conclude=conclude,
    mend=mend,
    examples=(
        Bad(
            """
            import threading

            class Basket:
                def __init__(self):
                    self._lock = threading.Lock()
                    self.items = []

                def add(self, item):
                    with self._lock:
                        if item not in self.items:
                            self.items.append(item)

                def drop(self):
                    self.items.pop()  # expect: CON304
            """,
            fixed="""
            import threading

            class Basket:
                def __init__(self):
                    self._lock = threading.Lock()
                    self.items = []

                def add(self, item):
                    with self._lock:
                        if item not in self.items:
                            self.items.append(item)

                def drop(self):
                    with self._lock:
                        self.items.pop()  # expect: CON304
            """,
        ),
        Bad("""
            from threading import Condition, RLock

            class Registry:
                def __init__(self):
                    self._mutex = RLock()
                    self._changed = Condition(self._mutex)
                    self._plugins = {}
                    self._order = []

                def add(self, name, plugin):
                    with self._changed:
                        self._put(name, plugin)
                        self._changed.notify_all()

                def _put(self, name, plugin):
                    self._plugins[name] = plugin
                    self._order.append(name)

                def names(self):
                    with self._mutex:
                        return [name.lower() for name in self._plugins]

                def close(self):
                    for plugin in self._plugins.values():  # expect: CON304
                        plugin.close()
            """),
        Bad(
            """
            import threading

            _cache = {}
            _lock = threading.Lock()

            def lookup(key):
                with _lock:
                    if key in _cache:
                        return _cache[key]
                value = key * 2
                with _lock:
                    _cache[key] = value
                return value

            def forget():
                global _cache
                _cache = {}  # expect: CON304
            """,
            fixed="""
            import threading

            _cache = {}
            _lock = threading.Lock()

            def lookup(key):
                with _lock:
                    if key in _cache:
                        return _cache[key]
                value = key * 2
                with _lock:
                    _cache[key] = value
                return value

            def forget():
                global _cache
                with _lock:
                    _cache = {}  # expect: CON304
            """,
        ),
        Bad("""
            import functools

            def cached(cache, lock):
                def decorator(function):
                    @functools.wraps(function)
                    def wrapper(*args):
                        with lock:
                            try:
                                return cache[args]
                            except KeyError:
                                pass
                        value = function(*args)
                        with lock:
                            cache[args] = value
                        return value

                    def clear():
                        cache.clear()  # expect: CON304

                    wrapper.clear = clear
                    return wrapper
                return decorator
            """),
        Bad(
            """
            import threading

            class Switches:
                _states = {}
                _lock = threading.Lock()

                def turn(self, prefix, state):
                    with Switches._lock:
                        for name in Switches._states:
                            if name.startswith(prefix):
                                Switches._states[name] = state

                def is_on(self, name):
                    try:
                        return Switches._states[name]
                    except KeyError:
                        Switches._states[name] = True  # expect: CON304
                        return True
            """,
            fixed="""
            import threading

            class Switches:
                _states = {}
                _lock = threading.Lock()

                def turn(self, prefix, state):
                    with Switches._lock:
                        for name in Switches._states:
                            if name.startswith(prefix):
                                Switches._states[name] = state

                def is_on(self, name):
                    try:
                        return Switches._states[name]
                    except KeyError:
                        with Switches._lock:
                            Switches._states[name] = True  # expect: CON304
                        return True
            """,
        ),
        Good("""
            import threading

            class Basket:
                def __init__(self, items):
                    self._lock = threading.Lock()
                    self.items = []
                    self._fill(items)

                def _fill(self, items):
                    for item in items:
                        self.items.append(item)  # only while it is made

                def add(self, item):
                    with self._lock:
                        if item not in self.items:
                            self._append(item)

                def _append(self, item):
                    self.items.append(item)  # everybody who calls it holds the lock

                def _drop_locked(self):
                    self.items.pop()

                def _drop_first(self):
                    \"\"\"Must be called with the lock held.\"\"\"
                    self.items.pop(0)

                def __repr__(self):
                    return ", ".join(item.name for item in self.items)
            """),
        Good("""
            import threading

            class Pool:
                def __init__(self):
                    self._lock = threading.Lock()
                    self._made = None
                    self._workers = set()

                def get(self):
                    if self._made is None:
                        with self._lock:
                            if self._made is None:
                                self._made = object()
                    return self._made

                def start(self):
                    self._workers.clear()
                    threading.Thread(target=self._run).start()

                def _run(self):
                    with self._lock:
                        self._workers.add(threading.get_ident())
                        print(len(self._workers))
            """),
        Good("""
            import os
            import threading

            class Buffer:
                def __init__(self):
                    self._lock = threading.Lock()
                    self._parts = []
                    os.register_at_fork(after_in_child=self._after_fork)

                def _after_fork(self):
                    self._reset()

                def _reset(self):
                    self._parts = []

                def add(self, part):
                    with self._lock:
                        if part not in self._parts:
                            self._parts.append(part)

                @property
                def last(self):
                    return self._parts[-1]

                def merge(self, other):
                    merged = Buffer()
                    merged._parts.extend(self._parts)  # nobody else has it yet
                    return merged
            """),
    ),
)
