"""`preexec_fn` runs Python in a forked child of a process with threads, and can deadlock there.

Between fork and exec the child has one thread, and copies of every lock as it was: a lock that another thread held
is held for ever.  What `preexec_fn` does may need one of them (the allocator's, the import system's, that of a
logging handler).  The child then hangs, and so does `Popen`, which waits for word from it.

`start_new_session=True` does what `os.setsid` did, `process_group=0` (since Python 3.11) what `os.setpgrp` did;
`umask`, `user`, `group`, `cwd` and `pass_fds` replace most of the rest.

See https://docs.python.org/3/library/subprocess.html#subprocess.Popen, "The preexec_fn parameter is NOT SAFE".

Not reported: other functions than these two where nothing shows that the program has threads: in a program of a single
thread they are safe.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.kinds import Context
from conclint.model import Finding, Fix, Safety
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source

RUNNERS = (
    *(f"subprocess.{name}" for name in ("Popen", "run", "call", "check_call", "check_output")),
    *(f"asyncio.create_subprocess_{name}" for name in ("exec", "shell")),
)

# What Popen does by itself, and since when: docs.python.org/3/library/subprocess.html#subprocess.Popen
OFFERED = {"os.setsid": ("start_new_session=True", (3, 2)), "os.setpgrp": ("process_group=0", (3, 11))}


def check(source: Source) -> Iterator[Finding]:
    for call in source.all(cst.Call):
        arg = source.argument(call, "preexec_fn") if source.calls(call, *RUNNERS) else None
        if arg is None or (isinstance(arg.value, cst.Name) and arg.value.value == "None"):
            continue
        function = _function(source, arg.value)
        offered, since = OFFERED.get(function, ("", (3, 0)))
        runs = source.function(call)
        threads = runs.runs_in(Context.THREAD) if runs is not None else ()
        if (not offered or source.scene.target_version < since) and not threads:
            continue
        what = f"pass `{offered}`" if offered else "use the arguments of `Popen` that do the same"
        yield Finding(
            source.place(arg),
            f"`preexec_fn` can deadlock in the child when the program has threads; {what} instead",
            notes=threads[0].trace if threads else (),
            fix=_offered(source, call, arg, function),
        )


def _function(source: Source, value: cst.BaseExpression) -> str:
    """The library function that is called, also through `lambda: os.setsid()`."""
    if isinstance(value, cst.Lambda) and isinstance(value.body, cst.Call) and not value.params.params:
        value = value.body.func if not value.body.args else value
    return next(iter(source.names(value)), "")


def _offered(source: Source, call: cst.Call, arg: cst.Arg, function: str) -> Fix | None:
    text, since = OFFERED.get(function, ("", (3, 0)))
    taken = source.argument(call, text.partition("=")[0]) is not None
    if not text or taken or arg.keyword is None or source.scene.target_version < since:
        return None  # the target Python cannot do it by itself
    edit = source.replace(arg.value, text.partition("=")[2])
    return Fix(f"`{text}`", (source.replace(arg.keyword, text.partition("=")[0]), edit), Safety.SAFE)


RULE = Rule(
    code="CON616",
    name="code-between-fork-and-exec",
    triggers=calls(*RUNNERS),
    check=check,
    examples=(
        Bad(
            """
            import os
            import subprocess

            def begin(command):
                return subprocess.Popen(command, preexec_fn=os.setsid)  # expect: CON616
            """,
            fixed="""
            import os
            import subprocess

            def begin(command):
                return subprocess.Popen(command, start_new_session=True)  # expect: CON616
            """,
        ),
        Bad(
            """
            from os import setsid
            from subprocess import run

            def begin(command):
                return run(
                    command,
                    preexec_fn=lambda: setsid(),  # expect: CON616
                    check=True,
                )
            """,
            fixed="""
            from os import setsid
            from subprocess import run

            def begin(command):
                return run(
                    command,
                    start_new_session=True,  # expect: CON616
                    check=True,
                )
            """,
        ),
        Bad("""
            import os
            import subprocess
            import threading

            def quiet():
                os.nice(10)

            class Builder:
                def begin(self):
                    self._thread = threading.Thread(target=self._build)
                    self._thread.start()

                def end(self):
                    self._thread.join()

                def _build(self):
                    subprocess.check_call(["make"], preexec_fn=quiet)  # expect: CON616
            """),
        Good("""
            import subprocess

            def begin(command):
                return subprocess.Popen(command, start_new_session=True)
            """),
        Good("""
            import os
            import subprocess

            def quiet():
                os.nice(10)

            def build():
                subprocess.check_call(["make"], preexec_fn=quiet)  # nothing shows a thread
            """),
        Good("""
            import os
            import subprocess

            def begin(command, *, detach=False):
                return subprocess.Popen(command, preexec_fn=None)
            """),
    ),
)
