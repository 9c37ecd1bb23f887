"""Two locks taken in both orders can leave two threads waiting for each other for ever.

One thread holds the first lock and wants the second, another holds the second and wants the first.  Each waits for
what the other will not give back.  Nothing shows it until both are there at the same moment, and then the program
stands still without a word.

Give the locks one order and keep to it everywhere; or give the first one back before the second is taken; or make one
lock do for both.  See https://docs.python.org/3/library/threading.html#lock-objects

Reported once for each group of locks, at the order that occurs less often; the notes tell where the other order is.
The calls between functions count.  So do two objects of one class that one place hands over as `pay(a, b)` and another
as `pay(b, a)`, where several threads do so.  Not reported: locks taken one after the other, other locks of two objects
of one class (their order may be told by the objects), the lock of a part that an object made for itself and never
tells of itself, where the other order is about another such part (they are not the same two objects), locks out of
containers or parameters, attempts that do not wait (`acquire(blocking=False)`, or with a timeout), locks that a called
function takes only on a condition, orders that never happen at once because a third lock is held around both, or
because one thread does both.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Finding, Note
from conclint.program.contexts import evidence as run_notes
from conclint.program.contexts import site_place
from conclint.program.evidence import Evidence
from conclint.program.lockorder import Cycle, Edge, name_of
from conclint.program.objectorder import Swapped
from conclint.program.takes import store_of
from conclint.program.triggers import held_locks
from conclint.rules.rule import Bad, Good, Rule


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for cycle in evidence.cycles:
        first = cycle.edges[0]
        around = "the other way round" if len(cycle.edges) == 2 else "in a circle"
        yield Finding(
            first.place,
            f"`{_inner(first)}` is taken while `{first.outer.text}` is held, and elsewhere {around}: the threads can "
            "wait for each other for ever; take them in one order",
            notes=tuple(_notes(cycle)),
        )
    for swapped in evidence.swapped:
        yield _of_objects(swapped)


def _of_objects(swapped: Swapped) -> Finding:
    """`a.pay(b)` in one thread, `b.pay(a)` in another."""
    one, other = swapped.sites
    return Finding(
        swapped.seen.place,
        f"`{swapped.inner.text}` is taken while `{swapped.outer.text}` is held, and the same objects come the other "
        "way round too: the threads can wait for each other for ever; take them in one order, by `id()` for example",
        notes=(
            Note(site_place(swapped.outer.site), f"takes `{swapped.outer.text}` here"),
            Note(site_place(one), "handed over here, in one order"),
            Note(site_place(other), "and here, in the other"),
            *run_notes(swapped.run),
        ),
    )


def _inner(edge: Edge) -> str:
    """The lock as it is written, or by its class where calls lead to it: `Manager._lock`."""
    store = store_of(edge.inner)
    if not edge.path or store is None:
        return edge.inner if edge.path else edge.text
    return f"{name_of(store.owner)}.{store.path}" if store.sort == "attribute" else store.path


def _notes(cycle: Cycle) -> Iterator[Note]:
    for number, edge in enumerate(cycle.edges):
        yield Note(site_place(edge.outer.site), f"`{name_of(edge.function)}` takes `{edge.outer.text}` here")
        if number or edge.path:
            what = f"calls `{edge.text}`, which leads to" if edge.path else "takes"
            yield Note(edge.place, f"`{name_of(edge.function)}` {what} `{_inner(edge)}` here")
        for step in edge.path[1:]:
            yield Note(site_place(step.site), f"`{name_of(step.site.caller)}` calls `{step.site.call.func}` here")


RULE = Rule(
    code="CON408",
    name="lock-order-inversion",
    triggers=held_locks(),
    conclude=conclude,
    examples=(
        Bad("""
            import threading

            class Account:
                def __init__(self, balance):
                    self.balance = balance
                    self.lock = threading.Lock()

                def pay(self, other, amount):
                    with self.lock:
                        with other.lock:  # expect: CON408
                            self.balance -= amount
                            other.balance += amount

            mine, yours = Account(90), Account(10)

            def main():
                there = threading.Thread(target=mine.pay, args=(yours, 5))
                back = threading.Thread(target=yours.pay, args=(mine, 3))
                there.start()
                back.start()
                there.join()
                back.join()
            """),
        Bad("""
            import threading

            a = threading.Lock()
            b = threading.Lock()

            def left():
                with a:
                    with b:
                        print("left")

            def right():
                with b:
                    with a:  # expect: CON408
                        print("right")
            """),
        Bad("""
            import threading

            class Bank:
                def __init__(self):
                    self._accounts_lock = threading.RLock()
                    self._log_lock = threading.Lock()
                    self._log = []

                def open(self):
                    with self._accounts_lock:
                        self._note("opened")

                def close(self):
                    with self._accounts_lock, self._log_lock:
                        self._log.append("closed")

                def report(self):
                    with self._log_lock:
                        return self._count()  # expect: CON408

                def _count(self):
                    with self._accounts_lock:
                        return len(self._log)

                def _note(self, text):
                    with self._log_lock:
                        self._log.append(text)
            """),
        Bad("""
            import threading

            first, second, third = threading.Lock(), threading.Lock(), threading.Lock()

            def one():
                with first, second:
                    pass

            def two():
                with second, third:
                    pass

            def three():
                with third, first:  # expect: CON408
                    pass
            """),
        Bad("""
            import threading

            class Server:
                def __init__(self):
                    self.lock = threading.Lock()
                    self.clients = [Client(self)]

                def tell(self, text):
                    with self.lock:
                        for client in self.clients:
                            client.write(text)

                def leave(self, client):
                    with self.lock:
                        self.clients.remove(client)

            class Client:
                def __init__(self, server: Server):
                    self.server = server
                    self.lock = threading.Lock()

                def write(self, text):
                    with self.lock:
                        print(text)

                def close(self):
                    with self.lock:
                        self.server.leave(self)  # expect: CON408
            """),
        Good("""
            import threading

            class Account:
                def __init__(self, balance):
                    self.balance = balance
                    self.lock = threading.Lock()

            def pay(source, target, amount):
                first, second = sorted((source, target), key=id)
                with first.lock, second.lock:
                    source.balance -= amount
                    target.balance += amount

            mine, yours = Account(90), Account(10)

            def main():
                threading.Thread(target=pay, args=(mine, yours, 5)).start()
                threading.Thread(target=pay, args=(yours, mine, 3)).start()
            """),
        Good("""
            import threading

            class Account:
                def __init__(self, balance):
                    self.balance = balance
                    self.lock = threading.Lock()

                def pay(self, other, amount):
                    with self.lock, other.lock:
                        self.balance -= amount
                        other.balance += amount

            shop, bank = Account(90), Account(10)

            def main(customers):
                for customer in customers:
                    threading.Thread(target=customer.pay, args=(shop, 5)).start()
                threading.Thread(target=shop.pay, args=(bank, 3)).start()  # never the other way
            """),
        Good("""
            import threading

            a = threading.Lock()
            b = threading.Lock()

            def left():
                with a:
                    with b:
                        print("left")

            def right():
                with a, b:
                    print("right")

            def one_after_the_other():
                with b:
                    print("b")
                with a:
                    print("a")
            """),
        Good("""
            import threading

            class Account:
                def __init__(self, number):
                    self.number = number
                    self.lock = threading.Lock()
                    self.balance = 0

                def move(self, other: "Account", amount):
                    first, second = sorted((self, other), key=lambda one: one.number)
                    with first.lock, second.lock:
                        self.balance -= amount
                        other.balance += amount
            """),
        Good("""
            import threading

            a = threading.Lock()
            b = threading.Lock()

            def left():
                with a:
                    with b:
                        print("left")

            def right():
                with b:
                    if a.acquire(timeout=1):  # backs off
                        try:
                            print("right")
                        finally:
                            a.release()
            """),
        Good("""
            import threading

            gate = threading.Lock()
            a = threading.Lock()
            b = threading.Lock()

            def left():
                with gate, a, b:
                    print("left")

            def right():
                with gate:
                    with b:
                        with a:
                            print("right")
            """),
        Good("""
            import threading

            lock = threading.Lock()
            ready = threading.Condition(lock)
            other = threading.Lock()

            def left():
                with other:
                    with lock:
                        print("left")

            def right():
                with other:
                    with ready:  # the same lock
                        ready.notify()
            """),
    ),
)
