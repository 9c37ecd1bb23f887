"""A thread that changes the working directory takes every other thread along.

The working directory belongs to the process.  While one worker is in its folder, the others open their relative paths
there as well, and when it goes back, it pulls the folder from under whoever came later.  Hand `cwd=` to a subprocess,
and join paths to their folder instead of going there; or use processes, each of which has a directory of its own.

Not reported: a single worker (one thread, or a pool of one), processes, and changes under a lock.  The way back at the
end of a function is the same mistake as the way there, which is where the finding stands.

https://docs.python.org/3/library/contextlib.html#contextlib.chdir
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.knowledge.kinds import Setting
from conclint.model import Finding
from conclint.program.evidence import Evidence
from conclint.program.triggers import sets
from conclint.rules.rule import Bad, Good, Rule


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for doing in evidence.doings(Setting.DIRECTORY):
        if doing.other is not None and not doing.guarded:
            yield Finding(
                doing.change.place,
                f"`{doing.change.text}` in a worker moves the other threads too, since all have one folder; "
                "pass `cwd=` or join the paths instead",
                notes=doing.notes,
            )


RULE = Rule(
    code="CON501",
    name="chdir-in-worker",
    triggers=sets(Setting.DIRECTORY),
    conclude=conclude,
    examples=(
        Bad("""
            import os
            import subprocess
            from concurrent.futures import ThreadPoolExecutor

            def build(folder):
                before = os.getcwd()
                os.chdir(folder)  # expect: CON501
                try:
                    subprocess.run(["make"])
                finally:
                    os.chdir(before)

            def main(folders):
                with ThreadPoolExecutor() as pool:
                    list(pool.map(build, folders))
            """),
        Bad("""
            import threading
            from contextlib import chdir

            def unpack(archive):
                with chdir(archive.folder):  # expect: CON501
                    archive.extract()

            class Worker(threading.Thread):
                def __init__(self, archive):
                    super().__init__()
                    self.archive = archive

                def run(self):
                    unpack(self.archive)

            def main(archives):
                workers = [Worker(one) for one in archives]
                for worker in workers:
                    worker.start()
                for worker in workers:
                    worker.join()
            """),
        Bad("""
            from multiprocessing.pool import ThreadPool
            import os as system

            class Builder:
                def build(self, folder):
                    self._enter(folder)
                    system.system("make")

                def _enter(self, folder):
                    system.chdir(folder)  # expect: CON501

                def all(self, folders):
                    with ThreadPool(4) as pool:
                        pool.map(self.build, folders)
            """),
        Good("""
            import subprocess
            from concurrent.futures import ThreadPoolExecutor

            def build(folder):
                subprocess.run(["make"], cwd=folder)

            def main(folders):
                with ThreadPoolExecutor() as pool:
                    list(pool.map(build, folders))
            """),
        Good("""
            import os
            from concurrent.futures import ProcessPoolExecutor

            def build(folder):
                os.chdir(folder)  # a process has a directory of its own
                os.system("make")

            def main(folders):
                with ProcessPoolExecutor() as pool:
                    list(pool.map(build, folders))
            """),
        Good("""
            import os
            import threading
            from concurrent.futures import ThreadPoolExecutor

            def serve(folder):
                os.chdir(folder)  # the only one
                handle_requests()

            def main(folder, folders):
                threading.Thread(target=serve, args=(folder,), daemon=True).start()
                pool = ThreadPoolExecutor(max_workers=1)
                for one in folders:
                    pool.submit(step, one)
                pool.shutdown()

            def step(folder):
                print(folder)
            """),
        Good("""
            import os
            import threading
            from concurrent.futures import ThreadPoolExecutor

            directory_lock = threading.Lock()

            def build(folder):
                with directory_lock:
                    os.chdir(folder)
                    os.system("make")

            def main(folders):
                os.chdir("/work")
                with ThreadPoolExecutor() as pool:
                    list(pool.map(build, folders))
            """),
    ),
)
