"""Whoever can connect here can run code in this process: `recv` unpickles what they send.

A connection of `multiprocessing` carries pickles, and unpickling runs whatever the sender wrote into them.  Without an
`authkey` a `Listener` takes everybody who finds the port, and a `Client` trusts whoever listens there.

Give both ends the same secret `authkey`, so that only those who have it can send; or send bytes in a format that is
only data (`send_bytes` and JSON).

See https://docs.python.org/3/library/multiprocessing.html#multiprocessing.connection.Listener, and the warning at
`Connection.recv`.

Not reported: sockets and pipes with a path, which the file system protects, connections of which only bytes are
read, `Pipe()`, which joins own processes, and tests.  Addresses that nobody can see here are shown to those who
select CON620.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.model import Finding
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.paths import path_of

if TYPE_CHECKING:
    from conclint.source.source import Source

# Names of what lies in the file system.
FILES = re.compile(r"path|sock|pipe|file", re.IGNORECASE)

LISTENER, CLIENT = "multiprocessing.connection.Listener", "multiprocessing.connection.Client"


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.testcode import in_test

    for call in source.all(cst.Call):
        if not source.calls(call, LISTENER, CLIENT) or any(arg.star for arg in call.args) or in_test(source, call):
            continue
        listens = source.calls(call, LISTENER)
        key = source.argument(call, "authkey", 3 if listens else 2)
        network = _on_network(source, call)
        if (
            (key is None or source.code(key.value) == "None")
            and network is not False
            and _unpickles(source, call, network)
        ):
            who = "whoever connects" if listens else "whoever listens there"
            yield Finding(
                source.place(call),
                f"{who} can run code here, since `recv` unpickles what it is sent; give both ends an `authkey`",
                when_asked=network is None,
            )


def _on_network(source: Source, call: cst.Call) -> bool | None:
    """Whether the address is a host and a port; None where nobody can see it."""
    family = source.argument(call, "family", 1)
    if family is not None:
        return "AF_INET" in source.code(family.value)
    given = source.argument(call, "address", 0)
    value = given.value if given is not None else None
    if isinstance(value, cst.Tuple):
        return True
    if FILES.search(path_of(value)):
        return False
    types = source.types(value)[:1] if isinstance(value, (cst.Name, cst.Attribute)) else ("",)
    return types[0] == "builtins.tuple" if types else None


def _unpickles(source: Source, call: cst.Call, network: bool | None) -> bool:
    """Whether objects are received; where the address is unknown, in the same function."""
    around = source.nearest(call, cst.ClassDef) or source.function_node(call)
    if network is None and around is not None:
        return ".recv()" in source.code(around)
    return ".recv()" in source.text.text or ".recv_bytes(" not in source.text.text


RULE = Rule(
    code="CON620",
    name="unauthenticated-connection",
    triggers=calls(LISTENER, CLIENT),
    check=check,
    examples=(
        Bad("""
            from multiprocessing.connection import Listener

            def serve(port):
                with Listener(("0.0.0.0", port)) as listener:  # expect: CON620
                    connection = listener.accept()
                    return connection.recv()
            """),
        Bad("""
            import multiprocessing.connection

            ADDRESS = ("jobs.example.org", 6000)

            def ask(question):
                connection = multiprocessing.connection.Client(ADDRESS)  # expect: CON620
                connection.send(question)
                return connection.recv()
            """),
        Bad("""
            from multiprocessing import connection as mpc

            class Board:
                def open(self, address):
                    self.listener = mpc.Listener(address, family="AF_INET", authkey=None)  # expect: CON620
                    self.last = self.listener.accept().recv()
            """),
        Good("""
            from multiprocessing.connection import Client, Listener

            def serve(port, secret):
                with Listener(("", port), authkey=secret) as listener:
                    return listener.accept().recv()

            def ask(port, secret):
                return Client(("localhost", port), "AF_INET", secret).recv()
            """),
        Good("""
            from multiprocessing.connection import Listener

            def serve(path):
                with Listener("/run/board/socket") as listener, Listener(path) as other:
                    return listener.accept().recv(), other.accept().recv()
            """),
        Good("""
            import json
            from multiprocessing.connection import Client

            def ask(port):
                with Client(("localhost", port)) as connection:
                    return json.loads(connection.recv_bytes())
            """),
        Good("""
            import multiprocessing

            def ask(work):
                here, there = multiprocessing.Pipe()
                child = multiprocessing.Process(target=work, args=(there,))
                child.start()
                answer = here.recv()
                child.join()
                return answer
            """),
    ),
)
