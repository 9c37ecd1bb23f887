"""Another worker can make or remove this file between the look and the act.

Several workers find the folder missing, all make it, and all but the first get a FileExistsError; or two find the file
there, both remove it, and the second gets a FileNotFoundError.  The system can do both in one step:
`os.makedirs(p, exist_ok=True)`, `path.unlink(missing_ok=True)`; otherwise do it and catch the error.

See https://docs.python.org/3/library/os.html#os.makedirs and
https://docs.python.org/3/glossary.html#term-EAFP.

Not reported: code that only one worker runs, looks and acts under one lock, acts that are prepared for the error, and
the removal of a file whose name is the function's own: who removes it has mostly made it.  The removal by one worker
beside others, or in the end, is shown to those who select CON306, and so are functions that look before they make a
folder, or remove what others know by name, though nobody sees who else does: another process may.

The fix adds `exist_ok=True` or `missing_ok=True`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.asking import EXISTENCE, MAKING, REMOVING
from conclint.knowledge.kinds import Context, Setting
from conclint.model import Edit, Finding, Fix, Safety, Span
from conclint.program.contexts import CONCURRENT, at_end
from conclint.program.triggers import calls
from conclint.program.values import split_id
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.program.evidence import Evidence
    from conclint.source.source import Source


# The methods and functions that make a folder.
MAKES = frozenset({"mkdir", "makedirs"})

# What does not fail, but spoils what another worker has done.
SPOILS = frozenset({"open"})


def conclude(evidence: Evidence) -> Iterator[Finding]:
    told: set[str] = set()
    for doing in evidence.doings(Setting.PRESENCE, among=CONCURRENT):
        if doing.other is not None and not doing.guarded:
            last = doing.change.name.rpartition(".")[2]
            alone = last not in MAKES and (not doing.run.many or at_end(doing.run))
            yield Finding(
                doing.change.place,
                f"another worker can be faster between this look for `{doing.change.text}` and `{last}`, which then "
                f"{_instead(last)}",
                notes=doing.notes,
                when_asked=alone or last in SPOILS,
            )
            told.add(doing.change.point.function)
    for change in evidence.asked(Setting.PRESENCE):
        last = change.name.rpartition(".")[2]
        if change.point.function not in told and split_id(change.point.function)[1]:
            instead = "use `exist_ok=True`, or catch the error" if last in MAKES else "catch the error"
            yield Finding(
                change.place,
                f"another process can be faster between this look for `{change.text}` and `{last}`, which then fails; "
                f"{instead}",
                when_asked=True,
            )


def _instead(act: str) -> str:
    if act in SPOILS:
        return "empties what that one has written; open it with the mode `x`, and catch FileExistsError"
    if act == "rmtree":
        return "fails; give it `ignore_errors=True`, or catch the error"
    how = "with `exist_ok=True`" if act in MAKES else "with `missing_ok=True` of a `Path`"
    return f"fails; do it in one step, {how}, or catch the error"


def mend(source: Source, finding: Finding) -> Fix | None:
    """The argument with which the act takes both answers."""
    from conclint.source.asking import files, made_sure

    for asked in files(source):
        word = made_sure(source, asked.act)
        if source.place(asked.test) == finding.place and source.calls(asked.act, "os.mkdir"):
            return _makedirs(source, asked.act)
        if source.place(asked.test) == finding.place and word:
            span = source.span(asked.act)
            at = Span(span.end_line, span.end_column - 1, span.end_line, span.end_column - 1)
            before = ", " if asked.act.args else ""
            if source.text.lines[span.end_line - 1][: span.end_column - 2].rstrip()[-1:] == ",":
                return None  # one argument a line
            return Fix(f"`{word}`", (Edit(at, before + word),), Safety.SAFE)
    return None


def _makedirs(source: Source, act: cst.Call) -> Fix | None:
    """`os.makedirs(p, exist_ok=True)`, which makes the folders above it too: not the same where these are missing."""
    if not isinstance(act.func, cst.Attribute) or len(act.args) != 1 or source.line(act) != source.span(act).end_line:
        return None
    text = f"{source.code(act.func.value)}.makedirs({source.code(act.args[0].value)}, exist_ok=True)"
    return Fix("`os.makedirs(…, exist_ok=True)`", (source.replace(act, text),), Safety.UNSAFE)


RULE = Rule(
    code="CON306",
    name="file-looked-for-first",
    triggers=calls(*EXISTENCE, runs_in=(Context.THREAD, Context.PROCESS), together=MAKING | REMOVING),
    conclude=conclude,
    mend=mend,
    examples=(
        Bad(
            """
            import os
            from concurrent.futures import ThreadPoolExecutor

            def save(item):
                folder = os.path.join("out", item[:2])
                if not os.path.exists(folder):  # expect: CON306
                    os.makedirs(folder)
                with open(os.path.join(folder, item), "w") as out:
                    out.write(item)

            def save_all(items):
                with ThreadPoolExecutor() as pool:
                    list(pool.map(save, items))
            """,
            fixed="""
            import os
            from concurrent.futures import ThreadPoolExecutor

            def save(item):
                folder = os.path.join("out", item[:2])
                if not os.path.exists(folder):  # expect: CON306
                    os.makedirs(folder, exist_ok=True)
                with open(os.path.join(folder, item), "w") as out:
                    out.write(item)

            def save_all(items):
                with ThreadPoolExecutor() as pool:
                    list(pool.map(save, items))
            """,
        ),
        Bad(
            """
            import multiprocessing
            from pathlib import Path

            LAST = Path("last.txt")

            def work(item):
                if LAST.exists():  # expect: CON306
                    LAST.unlink()
                return item

            def run(items):
                with multiprocessing.Pool() as pool:
                    return pool.map(work, items)
            """,
            fixed="""
            import multiprocessing
            from pathlib import Path

            LAST = Path("last.txt")

            def work(item):
                if LAST.exists():  # expect: CON306
                    LAST.unlink(missing_ok=True)
                return item

            def run(items):
                with multiprocessing.Pool() as pool:
                    return pool.map(work, items)
            """,
        ),
        Bad("""
            import os.path
            import threading

            class Cache:
                def __init__(self, folder):
                    self.folder = folder

                def _folder(self):
                    if os.path.isdir(self.folder):  # expect: CON306
                        return self.folder
                    os.mkdir(self.folder)
                    return self.folder

                def store(self, key):
                    print(self._folder(), key)

            def main(keys):
                cache = Cache("/tmp/cache")
                for key in keys:
                    threading.Thread(target=cache.store, args=(key,)).start()
            """),
        Good("""
            import os
            from concurrent.futures import ThreadPoolExecutor

            def save(item):
                os.makedirs(item[:2], exist_ok=True)
                if not os.path.exists("log"):
                    try:
                        os.mkdir("log")
                    except FileExistsError:
                        pass

            def save_all(items):
                with ThreadPoolExecutor() as pool:
                    list(pool.map(save, items))
            """),
        Good("""
            import os
            import threading

            LOCK = threading.Lock()

            def ensure(folder):
                if not os.path.exists(folder):
                    os.mkdir(folder)

            def save(folder):
                with LOCK:
                    ensure(folder)

            def main(folders):
                for folder in folders:
                    threading.Thread(target=save, args=(folder,)).start()
            """),
        Good("""
            import os

            if not os.path.exists("out"):
                os.makedirs("out")
            """),
    ),
)
