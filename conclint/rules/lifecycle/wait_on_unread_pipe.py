"""The child fills this pipe and stops, and `wait()` waits for the child: neither goes on.

A pipe holds some 64 KiB. With `stdout=PIPE` (or `stderr=PIPE`) somebody must read while the child runs; `wait()` and
`check_call`-like waiting read nothing. It works as long as the output is short, and hangs on the first long one.

Use `communicate()`, which reads both pipes and waits, or `subprocess.run(…, capture_output=True)`; or read the pipe to
its end first; or send the output to a file or to `DEVNULL`.

Not reported: commands like `echo`, which say little; a time limit whose end is handled; processes whose pipe somebody
reads, or has been given, before `wait()`; and processes that others may know too. In tests, which know what the child
says, it is shown to those who select CON221.

The fix leaves it to `communicate()`, where that follows at once or one `read()` does; it is applied with
`--unsafe-fixes` only.

See https://docs.python.org/3/library/subprocess.html#subprocess.Popen.wait
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.model import Edit, Finding, Fix, Note, Span
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.literals import constant_text
from conclint.source.paths import path_of
from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.source.source import Source

POPEN, PIPE, WAIT = "subprocess.Popen", "subprocess.PIPE", "subprocess.Popen.wait"
STREAMS = ("stdout", "stderr")
# What may be asked of the process before it is waited for.
HARMLESS = frozenset({"wait", "pid", "poll", "args", "returncode", "stdin", "kill", "terminate", "send_signal"})

# `["echo", …]`, `"sleep 5"`: a pipe holds what these say.
SHORT = re.compile(r"""[\[(]*[rfb]*["']+(\w+)""")
# `git rev-parse HEAD`, `gcc --version`: a line or two.
BRIEF = frozenset({"rev-parse", "config", "symbolic-ref", "init", "add", "--version", "-version"})
SAYS = re.compile(r"print|write|echo|log|warn|raise|run|call|cat |open")
QUIET = frozenset({"echo", "sleep", "true", "false", "touch", "pwd", "mkdir", "rm", "kill", "whoami", "hostname"})


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.testcode import in_test

    for call in source.all(cst.Call):
        piped = _piped(source, call) if source.calls(call, POPEN) and not _says_little(source, call) else []
        name = _name(source, call) if piped else None
        wait = _unread_wait(source, name) if name is not None else None
        if name is not None and wait is not None:
            message = f"nobody reads `{name.value}.{piped[0]}` meanwhile: with much output both sides wait for ever"
            notes = (Note(source.place(call), "the pipe is made here"),)
            fix = _communicate(source, name, wait, piped)
            told = f"{message}; use `communicate()`"
            yield Finding(source.place(wait), told, notes, fix, when_asked=in_test(source, wait))


def _piped(source: Source, call: cst.Call) -> list[str]:
    """Its output streams that are pipes."""
    given = ((stream, source.argument(call, stream)) for stream in STREAMS)
    return [stream for stream, arg in given if arg is not None and PIPE in source.names(arg.value)]


def _says_little(source: Source, call: cst.Call) -> bool:
    """Whether the command is known to print next to nothing."""
    command = source.argument(call, "args", 0)
    words = SHORT.match(source.code(command.value)) if command is not None else None
    if command is None or (words is not None and words.group(1) in QUIET):
        return command is not None
    listed = [*command.value.elements] if isinstance(command.value, (cst.List, cst.Tuple)) else []
    brief = len(listed) > 1 and constant_text(listed[1].value) in BRIEF
    return brief or _is_silent_code(listed, source)


def _is_silent_code(listed: list[cst.BaseElement], source: Source) -> bool:
    """`["python", "-c", "import sys; sys.exit(1)"]`: the program is written out, and writes nothing."""
    if len(listed) < 3 or constant_text(listed[-2].value) != "-c":
        return False
    last = listed[-1].value
    text = source.code(last) if isinstance(last, cst.FormattedString) else constant_text(last)
    return bool(text) and not SAYS.search(text.replace("raise SystemExit", ""))


def _name(source: Source, call: cst.Call) -> cst.Name | None:
    """The local variable that holds the process."""
    from conclint.source.variables import bound_to

    item = source.parent(call)
    if isinstance(item, cst.WithItem) and item.asname is not None:
        return item.asname.name if isinstance(item.asname.name, cst.Name) else None
    return bound_to(source, call)


def _unread_wait(source: Source, name: cst.Name) -> cst.Call | None:
    """The first `wait()`, if nobody may have read until then."""
    from conclint.source.variables import reads

    for one in reads(source, name):
        outer = source.parent(one)
        if not isinstance(outer, cst.Attribute) or source.function_node(one) is not source.function_node(name):
            return None
        call = source.parent(outer)
        if isinstance(call, cst.Call) and outer.attr.value == "wait" and source.calls(call, WAIT):
            return call if not _in_error_handling(source, call) else None
        if outer.attr.value not in HARMLESS:
            return None
    return None


def _in_error_handling(source: Source, call: cst.Call) -> bool:
    """After a failure, or behind `kill()`, the child is over or will be."""
    handler = source.nearest(call, cst.ExceptHandler, cst.Finally)
    if handler is not None or (call.args and source.nearest(call, cst.Try) is not None):
        return True
    owner = path_of(call.func).rpartition(".")[0]
    ended = {f"{owner}.kill", f"{owner}.terminate", f"{owner}.send_signal"}
    function = source.function_node(call)
    before = (one for one in source.all(cst.Call) if source.sequence(one) < source.sequence(call))
    return any(path_of(one.func) in ended and source.function_node(one) is function for one in before)


def _communicate(source: Source, name: cst.Name, wait: cst.Call, piped: list[str]) -> Fix | None:
    """`p.wait()` gone where `p.communicate()` follows at once; with `p.stdout.read()` instead, that is put there."""
    statement = source.statement(wait)
    following = _next(source, statement)
    if not isinstance(source.parent(wait), cst.Expr) or wait.args or following is None:
        return None
    first, last = source.span(statement), source.span(following)
    gone = Edit(Span(first.line, 1, first.line + 1, 1), "")
    calls = [node for node in below(following) if isinstance(node, cst.Call)]
    if first.line != first.end_line or last.line != first.line + 1:
        return None
    if any(path_of(call.func) == f"{name.value}.communicate" for call in calls):
        return Fix("`communicate()` waits itself", (gone,))
    reads = [one for one in source.all(cst.Call) if path_of(one.func) == f"{name.value}.{piped[0]}.read"]
    if len(piped) != 1 or len(reads) != 1 or reads[0] not in calls or reads[0].args:
        return None
    read = Edit(source.span(reads[0]), f"{name.value}.communicate()[{STREAMS.index(piped[0])}]")
    return Fix("read and wait with `communicate()`", (gone, read))


def _next(source: Source, statement: cst.CSTNode) -> cst.CSTNode | None:
    block = source.parent(statement)
    body = list(block.body) if isinstance(block, (cst.IndentedBlock, cst.Module)) else []
    return next((one for one in body if source.sequence(one) > source.sequence(statement)), None)


RULE = Rule(
    code="CON221",
    name="wait-on-unread-pipe",
    triggers=calls(POPEN),
    check=check,
    examples=(
        Bad(
            """
            import subprocess

            def listing(folder):
                process = subprocess.Popen(["ls", folder], stdout=subprocess.PIPE)
                process.wait()  # expect: CON221
                text = process.stdout.read()
                return text.decode()
            """,
            fixed="""
            import subprocess

            def listing(folder):
                process = subprocess.Popen(["ls", folder], stdout=subprocess.PIPE)
                text = process.communicate()[0]
                return text.decode()
            """,
        ),
        Bad(
            """
            import subprocess

            def listing(folder):
                process = subprocess.Popen(["ls", folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                process.wait()  # expect: CON221
                text, errors = process.communicate()
                return text, errors, process.returncode
            """,
            fixed="""
            import subprocess

            def listing(folder):
                process = subprocess.Popen(["ls", folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                text, errors = process.communicate()
                return text, errors, process.returncode
            """,
        ),
        Bad("""
            import subprocess as sp
            from subprocess import PIPE

            class Build:
                def run(self, target):
                    with sp.Popen(["make", target], stdout=PIPE, stderr=PIPE) as make:
                        print("pid", make.pid)
                        code = make.wait()  # expect: CON221
                        if code:
                            print(make.stderr.read())
                        return code
            """),
        Bad("""
            from subprocess import PIPE, STDOUT, Popen

            def run(command):
                process = Popen(command, stdout=PIPE, stderr=STDOUT)
                if process.wait(timeout=60) != 0:  # expect: CON221
                    raise RuntimeError(process.stdout.read())
            """),
        Good("""
            import subprocess
            import sys
            import threading

            def run(command, show):
                process = subprocess.Popen(command, stdout=subprocess.PIPE)
                for line in process.stdout:
                    show(line)
                process.wait()
                process = subprocess.Popen(command, stdout=subprocess.PIPE)
                return process.communicate()

            def quiet(command):
                process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=sys.stdout)
                process.stdin.close()
                return process.wait()

            def drained(command, drain):
                process = subprocess.Popen(command, stdout=subprocess.PIPE)
                thread = threading.Thread(target=drain, args=(process.stdout,))
                thread.start()
                code = process.wait()
                thread.join()
                return code

            def greeted():
                process = subprocess.Popen(["echo", "hello"], stdout=subprocess.PIPE)
                process.wait()
                return process.stdout.read()

            def limited(command):
                process = subprocess.Popen(command, stdout=subprocess.PIPE)
                try:
                    process.wait(timeout=3)
                except subprocess.TimeoutExpired:
                    process.kill()

            def stopped(command):
                process = subprocess.Popen(command, stdout=subprocess.PIPE)
                process.terminate()
                return process.wait()
            """),
        Good("""
            import subprocess

            def begin(command, watch):
                process = subprocess.Popen(command, stderr=subprocess.PIPE)
                watch(process)
                process.wait()
                return process

            class Job:
                def __init__(self, command):
                    self.process = subprocess.Popen(command, stdout=subprocess.PIPE)

                def end(self):
                    self.process.wait()
            """),
    ),
)
