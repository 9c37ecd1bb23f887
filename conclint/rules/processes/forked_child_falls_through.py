"""The forked child does not end here, and goes on with what only the parent should do.

After `os.fork()` there are two processes at the same place.  A child that comes to the end of its branch goes on with
the statements behind it: it waits for a child that it does not have, answers the same request twice, returns to the
caller, runs the parent's `finally` and `atexit` functions.

End the child with `os._exit(status)`, in a `finally`, so that an exception does not lead it there either.

See https://docs.python.org/3/library/os.html#os.fork and https://docs.python.org/3/library/os.html#os._exit.

Not reported: children that exit, return, raise or run another program, daemons, where it is the parent that ends, and
branches that end by calling what nobody can see.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from conclint.model import Finding
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source

FORKS = ("os.fork", "os.forkpty")

# What never comes back, whoever defines it.
ENDS = re.compile(r"exit|exec|abort|quit|die|kill|forever|usage|fatal|skip|fail|^main$|^run$|^_?child", re.IGNORECASE)


class _Branches(NamedTuple):
    """What each of the two processes does; the parent's is None where it goes on behind the `if`."""

    statement: cst.If
    child: cst.BaseSuite
    parent: cst.BaseSuite | None


def check(source: Source) -> Iterator[Finding]:
    for call in source.all(cst.Call):
        branches = _branches(source, call) if source.calls(call, *FORKS) else None
        if branches is None or _leaves(source, branches.child) or not _goes_on(source, branches.statement):
            continue
        if branches.parent is None or not _leaves(source, branches.parent):
            yield Finding(
                source.place(branches.statement.test),
                "the child goes on behind its branch, with what the parent should do; end it with `os._exit()`",
            )


def _branches(source: Source, fork: cst.Call) -> _Branches | None:
    statement = _test_of(source, fork)
    if statement is None:
        return None
    other = statement.orelse.body if isinstance(statement.orelse, cst.Else) else None
    if _asks_for_child(source, statement.test):
        return _Branches(statement, statement.body, other)
    asks = isinstance(statement.test, (cst.Name, cst.Call)) or ">" in source.code(statement.test)
    return _Branches(statement, other, statement.body) if other is not None and asks else None


def _test_of(source: Source, fork: cst.Call) -> cst.If | None:
    """The `if` that tells the processes apart: around the call, or next but few behind its assignment."""
    around = source.nearest(fork, cst.If, cst.SimpleStatementLine)
    if isinstance(around, cst.If):
        return around
    assign = source.parent(fork)
    name = assign.targets[0].target if isinstance(assign, cst.Assign) else None
    block = source.parent(around) if around is not None else None
    body = list(block.body) if isinstance(block, (cst.IndentedBlock, cst.Module)) else []
    for statement in body[body.index(around) + 1 :] if around in body and isinstance(name, cst.Name) else ():
        if isinstance(statement, cst.If) and name is not None and source.code(name) in source.code(statement.test):
            return statement
    return None


def _asks_for_child(source: Source, test: cst.BaseExpression) -> bool:
    """`pid == 0`, `0 == pid`, `not pid`."""
    if isinstance(test, cst.Comparison) and len(test.comparisons) == 1:
        sides = (source.code(test.left), source.code(test.comparisons[0].comparator))
        return isinstance(test.comparisons[0].operator, cst.Equal) and "0" in sides
    return isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not)


def _goes_on(source: Source, statement: cst.If) -> bool:
    """Whether anything comes behind the `if` in its block."""
    block = source.parent(statement)
    body = list(block.body) if isinstance(block, (cst.IndentedBlock, cst.Module)) else []
    return statement in body and body.index(statement) + 1 < len(body)


def _leaves(source: Source, suite: cst.BaseSuite) -> bool:
    """Whether the end of the block is never reached, as far as can be told."""
    last: cst.CSTNode | None = suite.body[-1] if suite.body else None
    if isinstance(last, cst.SimpleStatementLine):
        last = last.body[-1]
    if isinstance(last, (cst.Return, cst.Raise, cst.Continue, cst.Break, cst.While)):
        return True
    if isinstance(last, cst.Expr) and isinstance(last.value, cst.Call):
        return _ends(source, last.value)
    if isinstance(last, cst.If):
        other = last.orelse
        rest = _leaves(source, other.body) if isinstance(other, cst.Else) else False
        return rest and _leaves(source, last.body)
    if isinstance(last, cst.With):
        return _leaves(source, last.body)
    return isinstance(last, cst.Try) and _try_leaves(source, last)


def _try_leaves(source: Source, statement: cst.Try) -> bool:
    """Whether every way out of it ends the process, or its `finally` does."""
    if statement.finalbody is not None and _leaves(source, statement.finalbody.body):
        return True
    first = statement.orelse.body if statement.orelse is not None else statement.body
    return _leaves(source, first) and all(_leaves(source, handler.body) for handler in statement.handlers)


def _ends(source: Source, call: cst.Call) -> bool:
    """Whether the call never comes back, or may not: a function of this file without an end in it does."""
    from conclint.source.paths import path_of

    name = path_of(call.func).rpartition(".")[2]
    if ENDS.search(name):
        return True
    found = source.named(call.func)
    if not any(one.startswith(f"{source.path}:") for one in found.functions):
        return not found.names  # a library's function comes back
    body = re.search(rf"^( *)def {re.escape(name)}\(.*(?:\n(?:\1[ \t]+.*|\s*$))*", source.text.text, re.MULTILINE)
    return body is None or re.search(r"exit|exec[lv]|abort|while (?:True|1)", body.group()) is not None


RULE = Rule(
    code="CON617",
    name="forked-child-falls-through",
    triggers=calls(*FORKS),
    check=check,
    examples=(
        Bad("""
            import os

            def work():
                print("working")

            def run():
                if os.fork() == 0:  # expect: CON617
                    work()
                os.wait()
            """),
        Bad("""
            import os

            def serve(requests, answer):
                for request in requests:
                    pid = os.fork()
                    if not pid:  # expect: CON617
                        with open(request, "w") as out:
                            out.write("done")
                    else:
                        print("child", pid)
                    answer(request)
            """),
        Bad("""
            from os import fork, waitpid

            def run(path):
                child = fork()
                if child:  # expect: CON617
                    print("waiting for", child)
                else:
                    print("in the child")
                waitpid(child, 0)
            """),
        Good("""
            import os

            def work():
                print("working")

            def run():
                pid = os.fork()
                if pid == 0:
                    try:
                        work()
                    finally:
                        os._exit(0)
                os.waitpid(pid, 0)
            """),
        Good("""
            import os
            import sys

            def daemonize():
                if os.fork() > 0:
                    sys.exit(0)
                os.setsid()
                pid = os.fork()
                if pid == 0:
                    os.chdir("/")
                else:
                    os._exit(0)
                os.umask(0)
            """),
        Good("""
            import os

            def finish(status):
                os._exit(status)

            def run(program):
                if os.fork() == 0:
                    os.execvp(program, [program])
                if os.fork() == 0:
                    finish(1)
                os.wait()
            """),
        Good("""
            import os

            def spawn():
                pid = os.fork()
                if pid == 0:
                    return 0
                print("started", pid)
                return pid
            """),
    ),
)
