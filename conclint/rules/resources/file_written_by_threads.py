"""Several threads write to one file object, and tear each other's records.

A file object keeps one position and one buffer.  When a record takes several calls of `write`, another thread's comes
in between; between `seek` and `write` it moves the position; and text files and csv writers do not promise even that
one call stays in one piece.  Let the workers return what is to be written and write it in one place, put it into a
queue for one writer, or hold one lock around each record.

Not reported: writing under one lock, files that a worker opens for itself, a record that goes out in one `write` to a
file opened to append to, and the terminal, which CON510 is about.  A file that a function is given, and that was some
object's attribute, is shown to those who select CON517: there may be many such objects.

https://docs.python.org/3/library/io.html#multi-threading
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.knowledge.kinds import Unshared
from conclint.model import Finding
from conclint.program.evidence import Evidence
from conclint.program.triggers import uses
from conclint.rules.rule import Bad, Good, Rule


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for shared in evidence.shared(Unshared.WRITER):
        access = shared.used.access
        yield Finding(
            access.place,
            f"several threads write to `{access.text}` at once, and their records mix; write in one place, "
            "or hold one lock around each record",
            notes=shared.notes,
            when_asked=access.store.sort == "attribute" and "." not in access.text,
        )


RULE = Rule(
    code="CON517",
    name="file-written-by-threads",
    triggers=uses(Unshared.WRITER),
    conclude=conclude,
    examples=(
        Bad("""
            from concurrent.futures import ThreadPoolExecutor

            def main(rows):
                with open("out.csv", "w") as file, ThreadPoolExecutor() as pool:
                    list(pool.map(lambda row: file.write(shown(row)), rows))  # expect: CON517

            def shown(row):
                return ",".join(row) + "\\n"
            """),
        Bad("""
            import csv
            import threading

            class Report:
                def __init__(self, path):
                    self.file = open(path, "w", newline="")
                    self.writer = csv.writer(self.file)

                def add(self, row):
                    self.writer.writerow(row)  # expect: CON517

                def fill(self, rows):
                    for row in rows:
                        threading.Thread(target=self.add, args=(row,)).start()
            """),
        Bad("""
            import threading

            def put(file, number, block):
                file.seek(number * 512)  # expect: CON517
                file.write(block)

            def main(blocks):
                file = open("image", "r+b")
                workers = [threading.Thread(target=put, args=(file, *block)) for block in blocks]
                for worker in workers:
                    worker.start()
                for worker in workers:
                    worker.join()

            def log(path, jobs):
                file = open(path, "a")

                def job(name):
                    file.write(name)  # expect: CON517
                    file.write("\\n")

                for name in jobs:
                    threading.Thread(target=job, args=(name,)).start()
            """),
        Bad("""
            import json
            import pickle
            from concurrent.futures import ThreadPoolExecutor

            log = open("log.jsonl", "w")

            class Saver:
                def __init__(self, path):
                    self.file = open(path, "wb")

                def save(self, record):
                    pickle.dump(record, self.file)  # expect: CON517

            def job(record):
                json.dump(record, log)  # expect: CON517

            def main(records):
                saver = Saver("records")
                with ThreadPoolExecutor() as pool:
                    list(pool.map(saver.save, records))
                    list(pool.map(job, records))
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            def main(rows):
                with open("out.csv", "w") as file, ThreadPoolExecutor() as pool:
                    for line in pool.map(shown, rows):
                        file.write(line)

            def shown(row):
                with open("log", "w") as own:
                    own.write("x")
                    own.write("y")
                return ",".join(row) + "\\n"
            """),
        Good("""
            import threading

            class Journal:
                def __init__(self, path):
                    self.file = open(path, "w")
                    self.appended = open(path + ".log", "a")
                    self.lock = threading.Lock()

                def add(self, record):
                    with self.lock:
                        self.file.write(record)
                        self.file.write("\\n")

                def note(self, record):
                    self.appended.write(f"{record}\\n")  # one piece, at the end
                    self.appended.flush()

                def fill(self, records):
                    for record in records:
                        threading.Thread(target=self.add, args=(record,)).start()
                        threading.Thread(target=self.note, args=(record,)).start()
            """),
        Good("""
            import threading

            class Recorder(threading.Thread):
                def __init__(self, path, queue):
                    super().__init__()
                    self.file = open(path, "wb")
                    self.queue = queue

                def run(self):
                    for record in iter(self.queue.get, None):  # the only one that writes
                        self.file.write(record)
                        self.file.write(b"\\n")
            """),
    ),
)
