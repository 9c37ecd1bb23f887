"""A walk over a dict, set or deque goes item by item, and without the GIL other threads insert in between.

With the GIL a short loop is mostly over before another thread comes, and `sum(d.values())` or `tuple(d)` always is.
Without it the container changes its size at any moment: `RuntimeError: dictionary changed size during iteration`, or
items that are left out.

Walk over a copy that is taken in one step, `for key in list(d):`, `for key, value in list(d.items()):`, `d.copy()`;
of a deque only `copy()` is one step.  Or hold one lock around the walk and around each change.

Said only of projects that run without the GIL: `free-threaded = true`, or a classifier that says so.  There it takes
the place of CON311 for dicts, sets and deques.

Not reported: copies, one lock on both sides, registries that are filled while modules are imported or by functions
whose name says so, and containers that are replaced as a whole.

See https://docs.python.org/3/library/threadsafety.html#thread-safety-dict.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from conclint.model import Finding, Fix
from conclint.program.evidence import Evidence
from conclint.program.freely import registers, told_freely, walks_freely
from conclint.program.telling import race_finding, rival
from conclint.program.triggers import shared_state
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.program.races import Race
    from conclint.source.source import Source


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for race in evidence.races:
        if walks_freely(evidence.program, race) and not registers(race):
            finding = race_finding(
                race,
                f"`{race.moment.access.text}` is walked item by item while {rival(race)} can change it: the walk fails "
                f"or leaves items out; walk over {_copy(race)}, or hold one lock on both sides",
            )
            yield replace(finding, when_asked=not told_freely(evidence.program, race))


def _copy(race: Race) -> str:
    access = race.moment.access
    if access.operation in ("items", "keys", "values"):
        return f"`list({access.text}.{access.operation}())`"
    return f"`{access.text}.copy()`"


def mend(source: Source, finding: Finding) -> Fix | None:
    from conclint.source.freely import copied

    return copied(source, finding.place)


RULE = Rule(
    code="CON909",
    name="walked-while-others-insert",
    triggers=shared_state(),
    conclude=conclude,
    mend=mend,
    examples=(
        Bad(
            """
            import threading

            REG = {}


            def ping_all():
                for name, peer in REG.items():  # expect: CON909
                    peer.ping(name)


            def main(peers):
                threading.Thread(target=ping_all).start()
                for peer in peers:
                    REG[peer.name] = peer
            """,
            """
            import threading

            REG = {}


            def ping_all():
                for name, peer in list(REG.items()):  # expect: CON909
                    peer.ping(name)


            def main(peers):
                threading.Thread(target=ping_all).start()
                for peer in peers:
                    REG[peer.name] = peer
            """,
            free_threaded=True,
        ),
        Bad(
            """
            from collections import deque
            from concurrent.futures import ThreadPoolExecutor


            class Meter:
                def __init__(self):
                    self.totals = {}
                    self.last = deque(maxlen=9)
                    self.names = set()

                def count(self, name):
                    self.totals[name] = len(name)
                    self.last.append(name)
                    self.names.add(name)
                    return sum(self.totals.values()), list(self.last)  # expect: CON909

                def first(self):
                    self.names.add("x")
                    return next(iter(self.names))  # expect: CON909


            def main(names):
                meter = Meter()
                with ThreadPoolExecutor() as pool:
                    list(pool.map(meter.count, names))
                    pool.submit(meter.first)
                    pool.submit(meter.first)
            """,
            free_threaded=True,
        ),
        Bad(
            """
            _sizes = {}


            def size(name):
                found = _sizes[name] = len(name)
                return found


            def largest():
                for name in _sizes:  # expect: CON909
                    if _sizes[name] > 9:
                        return name
                return None
            """,
            free_threaded=True,
        ),
        Good(
            """
            import threading
            from collections import deque

            REG = {}
            LAST = deque()
            LOCK = threading.Lock()
            SIZES = {}


            def ping_all():
                for name, peer in list(REG.items()):
                    peer.ping(name)
                for name in REG.copy():
                    print(name)
                for name in sorted(REG):
                    print(name)
                for one in LAST.copy():
                    print(one)
                with LOCK:
                    print(max(SIZES.values()))


            def main(peers):
                threading.Thread(target=ping_all).start()
                for peer in peers:
                    REG[peer.name] = peer
                    LAST.append(peer)
                    with LOCK:
                        SIZES[peer.name] = 1
            """,
            free_threaded=True,
        ),
        Good(
            """
            import threading

            CODECS = {}
            LOADED = {}


            def register(name, codec):
                CODECS[name] = codec


            def find(text):
                for name, codec in CODECS.items():  # filled once and for all
                    if codec.fits(text):
                        return name
                return None


            def reload(names):
                global LOADED
                LOADED = {name: len(name) for name in names}


            def shown():
                return tuple(LOADED)


            def main(names):
                threading.Thread(target=reload, args=(names,)).start()
                return shown()
            """,
            free_threaded=True,
        ),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            TOTALS = {}


            def count(name):
                TOTALS[name] = len(name)
                return sum(TOTALS.values())  # one step, as long as there is a GIL


            def main(names):
                with ThreadPoolExecutor() as pool:
                    return list(pool.map(count, names))
            """),
    ),
)
