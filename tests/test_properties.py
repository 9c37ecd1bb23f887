"""Programs that nobody would write: generated ones are checked and mended without a crash, and stay programs."""

from __future__ import annotations

import ast
import warnings

import hypothesmith
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.programs import alarms_of, mended

BOUNDED = settings(max_examples=60, derandomize=True, database=None, suppress_health_check=list(HealthCheck))

# What rules look for, so that generated programs reach into them.
OPENINGS = [
    "import threading\nfrom concurrent.futures import *\n",
    "import multiprocessing as mp\nmp = mp.get_context('spawn')\nfrom threading import Thread, Lock\n",
    "import asyncio, queue, threading as th\nstate = {}\nlock = th.Lock()\n",
]
BODIES = [
    "for x in xs:\n    t = threading.Thread(target=f, args=(x))\n    t.start()\n    t.join()\n",
    "threads = [th.Thread(target=lambda: state.pop(x)) for x in range(9)]\nfor t in threads: t.start()\n",
    "def f(x=[]):\n\tglobal n\n\tn += 1; print(n); state[n] = state.get(n, 0) + 1\nThread(target=f).start(); f()\n",
    "class A(Thread):\n  n = 0\n  def run(self):\n    A.n += 1\n    if not self.x: self.x = 1\nA().run()\n",
    "async def g():\n    await asyncio.to_thread(sum, [i*i for i in range(10**6)])\n",
    "with ThreadPoolExecutor() as p: list(p.map(print, state))\n",
    "pool = mp.Pool(); pool.map(f, xs)\n",
    "p = mp.Process(f); p.run(); p.start()\n",
    "match state:\n    case {'a': x, **rest}: Thread(None, f(), args='ab').start()\n    case _: pass\n",
    "if 1:\n\n\n    # comment\n    x = lambda: (yield); Thread(target=x); del x\n",
]


def survives(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the generated program, not about conclint
        alarms_of({"a.py": text}, "CON")
        after = mended({"a.py": text}, "CON")["a.py"]
        ast.parse(after)


@BOUNDED
@given(hypothesmith.from_grammar())
def test_any_program(text):
    survives(text)


@BOUNDED
@given(hypothesmith.from_node())
def test_any_tree(text):
    survives(text)


@BOUNDED
@given(
    st.sampled_from(OPENINGS),
    st.lists(st.sampled_from(BODIES), min_size=1, max_size=6),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
)
def test_concurrent_programs_in_odd_shapes(opening, bodies, newline, inside):
    text = opening + "".join(bodies)
    if inside:
        text = "def main(xs, f):\n" + "".join(f"    {line}\n" for line in text.splitlines() if "import *" not in line)
    survives(text.replace("\n", newline))
