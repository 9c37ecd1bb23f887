"""This object owns a lock, and a lock can be neither copied nor pickled.

`copy.deepcopy` and `pickle` go through the attributes one by one, and at the lock they raise TypeError: "cannot pickle
'_thread.lock' object".  It happens wherever the object goes along: as a part of something larger, as an argument for
another process.

Give the class a `__getstate__` that leaves the lock out and a `__setstate__` that makes a new one.
See https://docs.python.org/3/library/pickle.html#handling-stateful-objects

Not reported: classes that say themselves how they are copied (`__getstate__`, `__reduce__`, `__deepcopy__`, …), locks
of the class rather than of the object, attributes that may hold something else, and classes that derive from a
library's.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Finding, Note
from conclint.program.contexts import site_place
from conclint.program.copies import Copies
from conclint.program.evidence import Evidence
from conclint.program.triggers import Triggers
from conclint.program.values import split_id
from conclint.rules.rule import Bad, Good, Rule


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for found in Copies(evidence.program).all():
        cls = split_id(found.cls)[1]
        yield Finding(
            site_place(found.site),
            f"`{found.site.call.func}` raises TypeError at the lock `{found.attribute}` of this `{cls}`; give it a "
            "`__getstate__` that leaves the lock out",
            notes=(Note(site_place(found.made), "the lock is made here"),),
        )


RULE = Rule(
    code="CON420",
    name="copied-lock",
    triggers=Triggers(),
    conclude=conclude,
    examples=(
        Bad("""
            import copy
            import threading

            class Settings:
                def __init__(self):
                    self._lock = threading.Lock()
                    self.values = {}

            def snapshot():
                settings = Settings()
                return copy.deepcopy(settings)  # expect: CON420
            """),
        Bad("""
            import pickle
            from copy import deepcopy as clone
            from threading import Condition

            class Model:
                def __init__(self):
                    self.changed = Condition()
                    self.weights = []

                def copy(self):
                    return clone(self)  # expect: CON420

            class Large(Model):
                pass

            def save(path):
                model = Large()
                with open(path, "wb") as file:
                    pickle.dump(model, file)  # expect: CON420
            """),
        Good("""
            import copy
            import threading

            class Settings:
                def __init__(self):
                    self._lock = threading.Lock()
                    self.values = {}

                def __getstate__(self):
                    state = self.__dict__.copy()
                    del state["_lock"]
                    return state

                def __setstate__(self, state):
                    self.__dict__.update(state)
                    self._lock = threading.Lock()

            def snapshot():
                return copy.deepcopy(Settings())
            """),
        Good("""
            import copy
            import threading

            class Settings:
                lock = threading.Lock()  # the class's: it does not go along

                def __init__(self):
                    self.values = {}

                def copy(self):
                    return copy.deepcopy(self)

            class Lazy:
                def __init__(self):
                    self.lock = None
                    self.values = {}

                def start(self):
                    self.lock = threading.Lock()

                def copy(self):
                    return copy.deepcopy(self)
            """),
        Good("""
            import copy
            import threading

            class Settings:
                def __init__(self):
                    self._lock = threading.Lock()
                    self.values = {}

                def snapshot(self):
                    with self._lock:
                        return copy.deepcopy(self.values)
            """),
    ),
)
