"""A cache that is looked up and then filled belongs to all threads, and without the GIL they do it at once.

`if key not in CACHE: CACHE[key] = make(key)` looks, then acts.  With the GIL threads change seldom enough that both
mostly stay together.  A free-threaded build runs them side by side: two threads find nothing and make two, and who
got the first one keeps something that the cache no longer knows.  The same goes for `if key in CACHE: del
CACHE[key]`, where the slower thread gets a KeyError.

Look and act under one lock.  Where the container can do both in one step, let it: `CACHE.setdefault(key, value)`,
`CACHE.pop(key, None)`.  `functools.cache` is safe to call, though it may compute a value twice.

Said only of projects that run without the GIL: `free-threaded = true`, or a classifier that says so.  There it takes
the place of CON305 for containers of modules and classes, and needs no thread in the program itself as evidence.

Caches whose values are computed by a function are shown to those who ask for this rule by name: two threads may do the
work twice, and nothing else.

Not reported: one-step operations, tests repeated under the lock, containers of one object or one function, values
that are cheap and the same for everybody, and what happens while modules are imported.

See https://py-free-threading.github.io/porting/ and https://docs.python.org/3/library/threadsafety.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from conclint.model import Finding
from conclint.program.evidence import Evidence
from conclint.program.freely import relies_on_gil, told_freely
from conclint.program.telling import race_finding
from conclint.program.triggers import shared_state
from conclint.rules.rule import Bad, Good, Rule


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for race in evidence.races:
        access = race.moment.access
        if relies_on_gil(evidence.program, race):
            message = (
                f"`{access.text}` is tested and then changed, and without the GIL two threads do so at once; do both "
                "under one lock"
            )
            yield replace(race_finding(race, message), when_asked=not told_freely(evidence.program, race))


RULE = Rule(
    code="CON901",
    name="cache-that-relies-on-gil",
    triggers=shared_state(),
    conclude=conclude,
    examples=(
        Bad(
            """
            CACHE = {}


            def make(key):
                return object()


            def get(key):
                if key not in CACHE:  # expect: CON901
                    CACHE[key] = make(key)
                return CACHE[key]
            """,
            free_threaded=True,
        ),
        Bad(
            """
            from concurrent.futures import ThreadPoolExecutor


            class Compiled:
                _known = {}
                _order = []

                @classmethod
                def of(cls, text):
                    found = cls._known.get(text)
                    if found is None:  # expect: CON901
                        found = cls._known[text] = cls(text)
                    return found

                @classmethod
                def forget(cls, text):
                    if text in cls._known:  # expect: CON901
                        del cls._known[text]

                def __init__(self, text):
                    self.text = text


            def main(texts):
                with ThreadPoolExecutor() as pool:
                    list(pool.map(Compiled.of, texts))
                    list(pool.map(Compiled.forget, texts))
            """,
            free_threaded=True,
        ),
        Bad(
            """
            from weakref import WeakValueDictionary

            _pools = WeakValueDictionary()


            def pool(host):
                try:
                    return _pools[host]
                except KeyError:
                    found = _pools[host] = Pool(host)  # expect: CON901
                    return found


            class Pool:
                def __init__(self, host):
                    self.host = host
            """,
            free_threaded=True,
        ),
        Good(
            """
            import threading

            CACHE = {}
            LOCK = threading.Lock()


            def make(key):
                return object()


            def get(key):
                with LOCK:
                    if key not in CACHE:
                        CACHE[key] = make(key)
                    return CACHE[key]


            def get_fast(key):
                found = CACHE.get(key)
                if found is None:
                    with LOCK:
                        if key not in CACHE:
                            CACHE[key] = make(key)
                        found = CACHE[key]
                return found
            """,
            free_threaded=True,
        ),
        Good(
            """
            import re

            PATTERNS = {}
            NAMES = {}


            def pattern(text):
                if text not in PATTERNS:
                    PATTERNS[text] = re.compile(text)  # as good as the other thread's
                return PATTERNS[text]


            def name(number):
                return NAMES.setdefault(number, str(number))


            def forget(number):
                NAMES.pop(number, None)


            def count(words):
                seen = {}
                for word in words:
                    if word not in seen:
                        seen[word] = Count(word)
                return seen


            class Count:
                def __init__(self, word):
                    self.word = word
                    self.parts = {}

                def part(self, name):
                    if name not in self.parts:
                        self.parts[name] = Count(name)
                    return self.parts[name]


            import threading
            import warnings

            SEEN = set()
            OWN = {}


            def own(make_one):
                thread = threading.current_thread()
                if thread not in OWN:
                    OWN[thread] = Count(make_one)  # nobody else has that key
                return OWN[thread]


            def advise(word):
                if word not in SEEN:
                    SEEN.add(word)
                    warnings.warn("twice does no harm")


            for one in ("a", "b"):
                if one not in NAMES:
                    NAMES[one] = Count(one)  # while the module is imported
            """,
            free_threaded=True,
        ),
        Good("""
            CACHE = {}


            def make(key):
                return object()


            def get(key):
                if key not in CACHE:  # with the GIL that is CON305's to say
                    CACHE[key] = make(key)
                return CACHE[key]
            """),
    ),
)
