"""`warnings.catch_warnings` in several threads mixes up their filters.

It puts the module's own list of filters aside and puts it back at the end.  When two threads do so at once, the second
puts back what the first had set: a filter stays for ever, or warnings vanish in threads that never asked for it.  Set
filters once, in the main thread.  (Since Python 3.14, where `sys.flags.context_aware_warnings` is on, each thread has
its own.)

Not reported: a single worker, processes, what is done under a lock, and free-threaded programs for Python 3.14 and
later, where the flag is on.

https://docs.python.org/3/library/warnings.html#warnings.catch_warnings
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.knowledge.kinds import Setting
from conclint.model import Finding
from conclint.program.evidence import Evidence
from conclint.program.triggers import sets
from conclint.rules.rule import Bad, Good, Rule

CONTEXT_AWARE = (3, 14)


def conclude(evidence: Evidence) -> Iterator[Finding]:
    options = evidence.program.options
    if options.free_threaded and options.target >= CONTEXT_AWARE:
        return
    for doing in evidence.doings(Setting.WARNINGS):
        if doing.other is not None and not doing.guarded:
            yield Finding(
                doing.change.place,
                f"`{doing.change.text}` in several threads mixes up the warning filters that they share; set them once "
                "in the main thread",
                notes=doing.notes,
                when_asked=doing.far,
            )


RULE = Rule(
    code="CON505",
    name="catch-warnings-in-worker",
    triggers=sets(Setting.WARNINGS),
    conclude=conclude,
    examples=(
        Bad("""
            import warnings
            from concurrent.futures import ThreadPoolExecutor

            def job(path):
                with warnings.catch_warnings():  # expect: CON505
                    warnings.simplefilter("ignore")
                    return load(path)

            def main(paths):
                with ThreadPoolExecutor() as pool:
                    return list(pool.map(job, paths))
            """),
        Bad("""
            from multiprocessing.pool import ThreadPool
            from warnings import catch_warnings

            class Quiet:
                def __enter__(self):
                    self.caught = catch_warnings()  # expect: CON505
                    self.caught.__enter__()

                def __exit__(self, *error):
                    self.caught.__exit__(*error)

            def job(path):
                with Quiet():
                    return load(path)

            def main(paths):
                with ThreadPool() as pool:
                    return pool.map(job, paths)
            """),
        Good("""
            import warnings
            from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

            def job(path):
                return load(path)

            def child(path):
                with warnings.catch_warnings():
                    return load(path)

            def main(paths):
                warnings.filterwarnings("ignore", category=DeprecationWarning)
                with warnings.catch_warnings():
                    with ThreadPoolExecutor() as pool:
                        list(pool.map(job, paths))
                with ProcessPoolExecutor() as processes:
                    list(processes.map(child, paths))
            """),
        Good("""
            import threading
            import warnings

            lock = threading.Lock()

            def job(path):
                with lock, warnings.catch_warnings():
                    return load(path)

            def main(paths):
                for path in paths:
                    threading.Thread(target=job, args=(path,)).start()
            """),
        Good("""
            import threading
            import warnings

            def watch():
                with warnings.catch_warnings():  # one thread
                    serve()

            threading.Thread(target=watch).start()
            """),
    ),
)
