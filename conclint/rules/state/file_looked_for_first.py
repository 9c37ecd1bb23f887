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


def conclude(evidence: Evidence) -> Iterator[Finding]:
    told: set[str] = set()
    for doing in evidence.doings(Setting.PRESENCE, among=CONCURRENT):
        if doing.other is not None and not doing.guarded:
            last = doing.change.name.rpartition(".")[2]
            how = "with `exist_ok=True`" if last in MAKES else "with `missing_ok=True` of a `Path`"
            yield Finding(
                doing.change.place,
                f"another worker can be faster between this look for `{doing.change.text}` and `{last}`, which then "
                f"fails; do it in one step, {how}, or catch the error",
                notes=doing.notes,
                when_asked=last not in MAKES and (not doing.run.many or at_end(doing.run)),
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


def mend(source: Source, finding: Finding) -> Fix | None:
    """The argument with which the act takes both answers."""
    from conclint.source.asking import files, made_sure

    for asked in files(source):
        word = made_sure(source, asked.act)
        if source.place(asked.test) == finding.place and word:
            span = source.span(asked.act)
            at = Span(span.end_line, span.end_column - 1, span.end_line, span.end_column - 1)
            before = ", " if asked.act.args else ""
            if source.text.lines[span.end_line - 1][: span.end_column - 2].rstrip()[-1:] == ",":
                return None  # one argument a line
            return Fix(f"`{word}`", (Edit(at, before + word),), Safety.SAFE)
    return None


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
