"""Several threads set columns or rows of one pandas table.

Setting a column of a DataFrame replaces its blocks and its index of columns in several steps; when two threads do it at
once a column is lost, or the two parts no longer fit and the next access raises or reads nonsense.  pandas "is not
100% thread safe" even for copies.  Let the workers return their columns and put them together in one place.

Not reported: setting under one lock, tables that a worker makes for itself, NumPy arrays (workers often fill slices of
their own), and reading.

https://pandas.pydata.org/docs/user_guide/gotchas.html#thread-safety
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.knowledge.kinds import Unshared
from conclint.model import Finding
from conclint.program.evidence import Evidence
from conclint.program.triggers import uses
from conclint.rules.rule import Bad, Good, Rule


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for shared in evidence.shared(Unshared.ARRAY):
        yield Finding(
            shared.used.access.place,
            f"several threads change `{shared.used.access.text}` at once, which pandas does not support; return the "
            "parts and put them together in one place",
            notes=shared.notes,
        )


RULE = Rule(
    code="CON522",
    name="table-changed-by-threads",
    triggers=uses(Unshared.ARRAY),
    conclude=conclude,
    examples=(
        Bad("""
            from concurrent.futures import ThreadPoolExecutor

            import pandas as pd

            def main(path, columns):
                df = pd.read_csv(path)

                def fill(column):
                    df[column] = compute(column)  # expect: CON522

                with ThreadPoolExecutor() as pool:
                    list(pool.map(fill, columns))
            """),
        Bad("""
            import threading

            from pandas import DataFrame

            class Collector:
                def __init__(self):
                    self.table = DataFrame()

                def add(self, name, values):
                    self.table.loc[name] = values  # expect: CON522

                def all(self, items):
                    for name, values in items:
                        threading.Thread(target=self.add, args=(name, values)).start()
            """),
        Bad("""
            import threading

            import pandas

            results = pandas.DataFrame(columns=["score"])

            def score(index):
                results.at[index, "score"] = compute(index)  # expect: CON522

            def main():
                for index in range(10):
                    threading.Thread(target=score, args=(index,)).start()
            """),
        Good("""
            import threading
            from concurrent.futures import ThreadPoolExecutor

            import numpy as np
            import pandas as pd

            array = np.zeros(100)
            table = pd.DataFrame()
            lock = threading.Lock()

            def slot(index):
                array[index] = compute(index)

            def column(name):
                own = pd.DataFrame()
                own[name] = compute(name)
                values = compute(name)
                with lock:
                    table[name] = values
                return own

            def main(names):
                with ThreadPoolExecutor() as pool:
                    list(pool.map(slot, range(100)))
                    parts = list(pool.map(column, names))
                whole = pd.concat(parts)
                whole["sum"] = 0
                return whole
            """),
    ),
)
