"""A thread that seeds the global random generator spoils the numbers of all others.

`random.seed`, `numpy.random.seed` and `torch.manual_seed` set one generator for the whole process.  With several
workers the numbers of each depend on when the others seeded and drew: nothing can be repeated, and two may draw the
same numbers.  Give each worker a generator of its own: `random.Random(seed)`,
`numpy.random.default_rng(seed)` with seeds from `numpy.random.SeedSequence(...).spawn(n)`.

Forked processes inherit the state of NumPy's generator, and all draw the same numbers, where nothing in them seeds it.
(Python's own `random` is seeded anew in each.)

Not reported: seeding in the main thread, in processes, in a single worker or under a lock; drawing in processes that
are seeded there or in the pool's initializer, or that are not forked (`spawn`, Python 3.14 and later).

https://docs.python.org/3/library/random.html#random.seed
https://numpy.org/doc/stable/reference/random/parallel.html
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.knowledge.kinds import Setting
from conclint.model import Finding
from conclint.program.contexts import site_place
from conclint.program.evidence import Evidence
from conclint.program.triggers import sets
from conclint.rules.rule import Bad, Good, Rule


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for doing in evidence.doings(Setting.RANDOM):
        if doing.other is not None and not doing.guarded:
            yield Finding(
                doing.change.place,
                f"`{doing.change.text}` in several threads seeds the one generator that they share; give each its own",
                notes=doing.notes,
                when_asked=doing.far,
            )

    for drawn in evidence.forked.draws():
        yield Finding(
            site_place(drawn.site),
            f"each forked process begins with the same state of `{drawn.site.call.func}`, so that all draw the same "
            "numbers; give each its own `numpy.random.default_rng`",
            notes=drawn.notes[:-1],
        )


RULE = Rule(
    code="CON509",
    name="seed-in-worker",
    triggers=sets(Setting.RANDOM),
    conclude=conclude,
    examples=(
        Bad("""
            from concurrent.futures import ThreadPoolExecutor

            import numpy as np

            def simulate(number):
                np.random.seed(number)  # expect: CON509
                return np.random.rand()

            def main():
                with ThreadPoolExecutor() as pool:
                    return list(pool.map(simulate, range(8)))
            """),
        Bad("""
            import random
            import threading

            def prepare(seed):
                random.seed(seed)  # expect: CON509

            class Player(threading.Thread):
                def run(self):
                    prepare(1)
                    play(random.random())

            def main():
                for _ in range(3):
                    Player().start()
            """),
        Bad("""
            import multiprocessing

            import numpy as np
            from numpy.random import normal

            def walk(steps):
                return move(np.random.rand(steps))  # expect: CON509

            def noise(size):
                return step(size)

            def step(size):
                return normal(size=size)  # expect: CON509

            def main():
                with multiprocessing.Pool() as pool:
                    pool.map(walk, range(8))
                    pool.map(noise, range(8))
            """),
        Good("""
            import multiprocessing
            import random

            import numpy as np

            def seeded(number):
                np.random.seed(number)
                return np.random.rand()

            def own(seed):
                return np.random.default_rng(seed).normal()

            def python(number):
                return random.random()

            def main():
                np.random.rand(3)
                with multiprocessing.Pool() as pool:
                    pool.map(seeded, range(8))
                    pool.map(own, range(8))
                    pool.map(python, range(8))
            """),
        Good("""
            import multiprocessing

            import numpy as np

            def begin():
                np.random.seed()

            def draw(number):
                return np.random.rand()

            def main():
                with multiprocessing.Pool(initializer=begin) as pool:
                    pool.map(draw, range(8))
            """),
        Good("""
            import random
            from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

            import numpy as np

            def simulate(seed):
                mine = random.Random(7)
                mine.seed(8)
                return np.random.default_rng(seed).random()

            def child(number):
                np.random.seed(number)
                return np.random.rand()

            def main():
                random.seed(1)
                seeds = np.random.SeedSequence(1).spawn(8)
                with ThreadPoolExecutor() as pool:
                    list(pool.map(simulate, seeds))
                with ProcessPoolExecutor() as processes:
                    list(processes.map(child, range(8)))
            """),
    ),
)
