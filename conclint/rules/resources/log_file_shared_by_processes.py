"""Several processes log to one file, and nobody keeps them apart.

A handler that is made before the processes are forked goes with each of them, file and all.  Its lock is one for the
threads of a process; other processes know nothing of it: records land in one another, and a rotating handler renames
the file under the others, which go on writing to the old one or delete what is new.  Put a
`logging.handlers.QueueHandler` into each process, and let a `QueueListener` in the parent write.

Not reported: programs that use a QueueHandler, QueueListener or SocketHandler, processes that set their logging up
themselves, started with `spawn` or `forkserver` (they do not inherit handlers), which is the default since Python 3.14.

https://docs.python.org/3/howto/logging-cookbook.html#logging-to-a-single-file-from-multiple-processes
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Finding
from conclint.program.contexts import site_place
from conclint.program.evidence import Evidence
from conclint.program.triggers import Triggers
from conclint.rules.rule import Bad, Good, Rule


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for shared in evidence.forked.log_files():
        yield Finding(
            site_place(shared.site),
            f"the processes inherit the file of `{shared.site.call.func}` and log to it at once; give each a "
            "QueueHandler, and let a QueueListener write",
            notes=shared.notes,
        )


RULE = Rule(
    code="CON520",
    name="log-file-shared-by-processes",
    triggers=Triggers(),
    conclude=conclude,
    examples=(
        Bad("""
            import logging
            import multiprocessing as mp

            def work():
                logging.info("working")

            def main():
                logging.basicConfig(filename="app.log")  # expect: CON520
                workers = [mp.Process(target=work) for _ in range(4)]
                for worker in workers:
                    worker.start()
                for worker in workers:
                    worker.join()
            """),
        Bad("""
            import logging
            from concurrent.futures import ProcessPoolExecutor
            from logging.handlers import RotatingFileHandler

            logger = logging.getLogger(__name__)

            def set_up():
                logger.addHandler(RotatingFileHandler("app.log", maxBytes=10**6))  # expect: CON520

            def job(item):
                tell(item)

            def tell(item):
                logger.warning("done %s", item)

            def main(items):
                set_up()
                run(items)

            def run(items):
                with ProcessPoolExecutor() as pool:
                    list(pool.map(job, items))
            """),
        Bad("""
            import logging
            from multiprocessing import Pool

            log = logging.getLogger("app")
            log.addHandler(logging.FileHandler("app.log"))  # expect: CON520

            def job(item):
                log.info("item %s", item)

            if __name__ == "__main__":
                with Pool() as pool:
                    pool.map(job, range(9))
            """),
        Good("""
            import logging
            import multiprocessing
            from logging.handlers import QueueHandler, QueueListener

            def work(queue):
                logging.getLogger().addHandler(QueueHandler(queue))
                logging.info("working")

            def main():
                queue = multiprocessing.Queue()
                listener = QueueListener(queue, logging.FileHandler("app.log"))
                listener.start()
                process = multiprocessing.Process(target=work, args=(queue,))
                process.start()
                process.join()
                listener.stop()
            """),
        Good("""
            import logging
            import os
            from multiprocessing import Process

            def work():
                logging.basicConfig(filename=f"app-{os.getpid()}.log", force=True)
                logging.info("working")

            def silent():
                compute()

            def main():
                logging.basicConfig(filename="app.log")
                logging.info("begun")
                first, second = Process(target=work), Process(target=silent)
                first.start()
                second.start()
                first.join()
                second.join()
            """),
        Good("""
            import logging
            import multiprocessing

            def work():
                logging.info("working")

            def main():
                logging.basicConfig(filename="app.log")
                process = multiprocessing.get_context("spawn").Process(target=work)
                process.start()
                process.join()
            """),
    ),
)
