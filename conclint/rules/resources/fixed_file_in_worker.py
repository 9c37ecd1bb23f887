"""Several workers write files of one name.

`open("/tmp/out.txt", "w")` means the same file in every thread and process: each cuts off what the others have written,
and their lines land in one another's.  `tempfile.mktemp` only proposes a name that is free now, and another worker, or
an attacker, may take it first; and `tempfile.tempdir` is one for the whole process.  Let `tempfile.NamedTemporaryFile`
or `tempfile.TemporaryDirectory` make what a worker needs for itself, or put what tells the workers apart into the name.

Not reported: a single worker, writing under one lock, files that are opened to append to (each record in one piece
stays whole), `"x"`, which fails where the file is already there, devices, and names that are not written out.

https://docs.python.org/3/library/tempfile.html#tempfile.mktemp
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.knowledge.kinds import Context, Setting
from conclint.knowledge.settings import OPENING, WRITING_WHOLE
from conclint.model import Finding
from conclint.program.contexts import CONCURRENT
from conclint.program.evidence import Evidence
from conclint.program.triggers import Triggers
from conclint.rules.rule import Bad, Good, Rule

TOLD = {
    "tempfile.mktemp": "`{}` names a file that another worker may make first; use `tempfile.NamedTemporaryFile` or "
    "`mkstemp`",
    "tempfile.tempdir": "`{}` is set for the whole process, the other workers too; pass `dir=` instead",
}
SAME = "several workers write `{}` at once, each over the others; give each a file of its own"


def conclude(evidence: Evidence) -> Iterator[Finding]:
    threads = evidence.doings(Setting.TEMPORARY)
    for doing in (*threads, *evidence.doings(Setting.FILE, among=CONCURRENT)):
        if doing.other is not None and not doing.guarded:
            told = TOLD.get(doing.change.name, SAME).format(doing.change.text)
            yield Finding(doing.change.place, told, notes=doing.notes)


RULE = Rule(
    code="CON512",
    name="fixed-file-in-worker",
    triggers=Triggers(
        calls=OPENING | WRITING_WHOLE,
        contexts=frozenset({Context.THREAD, Context.PROCESS}),
        settings=frozenset({Setting.TEMPORARY}),
    ),
    conclude=conclude,
    examples=(
        Bad("""
            from concurrent.futures import ThreadPoolExecutor

            def job(text):
                with open("/tmp/out.txt", "w") as file:  # expect: CON512
                    file.write(text)

            def main(texts):
                with ThreadPoolExecutor() as pool:
                    list(pool.map(job, texts))
            """),
        Bad("""
            import multiprocessing
            from pathlib import Path

            class Render:
                def frame(self, number):
                    self.save(number)

                def save(self, number):
                    Path("frame.json").write_text(str(number))  # expect: CON512
                    convert("frame.json")

            def main(numbers):
                with multiprocessing.Pool() as pool:
                    pool.map(Render().frame, numbers)
            """),
        Bad("""
            import tempfile
            import threading
            from tempfile import mktemp

            def unpack(archive):
                name = mktemp()  # expect: CON512
                archive.extract(name)

            def pack(folder):
                tempfile.tempdir = folder  # expect: CON512

            def main(archives):
                for archive in archives:
                    threading.Thread(target=unpack, args=(archive,)).start()
                    threading.Thread(target=pack, args=(archive.folder,)).start()
            """),
        Good("""
            import tempfile
            import threading
            from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
            from pathlib import Path

            file_lock = threading.Lock()

            def job(number):
                with tempfile.NamedTemporaryFile("w", delete=False) as file:
                    file.write(str(number))
                with open(f"/tmp/out-{number}.txt", "w") as file:
                    file.write(str(number))
                with open("/tmp/log.txt", "a") as log:
                    log.write(f"{number}\\n")
                with open("/dev/null", "w") as nothing, open("/etc/hosts") as hosts:
                    nothing.write(hosts.read())

            def first(number):
                with open("/tmp/claimed", "x"):
                    pass
                with file_lock, open("/tmp/last", "w") as last:
                    last.write(str(number))

            def alone(text):
                Path("/tmp/state").write_text(text)

            def main(numbers):
                Path("/tmp/begun").write_text("now")
                with ProcessPoolExecutor() as pool:
                    list(pool.map(job, numbers))
                with ThreadPoolExecutor() as threads:
                    list(threads.map(first, numbers))
                threading.Thread(target=alone, args=("x",)).start()
            """),
    ),
)
