"""`locale.setlocale` changes how all threads format and parse, and is not thread-safe itself.

The locale belongs to the process: while one worker formats a number the German way, another one's decimal point becomes
a comma, and so does the main thread's.  On most systems a call of `setlocale` may even crash a thread that formats
something meanwhile.  Set it once before threads start, or format with a library that takes the locale as an argument,
such as Babel.

Not reported: processes, what is set in the main thread, and what is set under a lock.

https://docs.python.org/3/library/locale.html#locale.setlocale
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.knowledge.kinds import Setting
from conclint.model import Finding
from conclint.program.evidence import Evidence
from conclint.program.triggers import sets
from conclint.rules.rule import Bad, Good, Rule


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for doing in evidence.doings(Setting.LOCALE):
        if not doing.guarded:
            yield Finding(
                doing.change.place,
                f"`{doing.change.text}` changes the locale of all threads, and may crash one that formats now; set "
                "it once before threads start, or format with Babel",
                notes=doing.notes,
            )


RULE = Rule(
    code="CON504",
    name="locale-in-worker",
    triggers=sets(Setting.LOCALE),
    conclude=conclude,
    examples=(
        Bad("""
            import locale
            from concurrent.futures import ThreadPoolExecutor

            def shown(number, where):
                locale.setlocale(locale.LC_ALL, where)  # expect: CON504
                return f"{number:n}"

            def main(numbers, places):
                with ThreadPoolExecutor() as pool:
                    return list(pool.map(shown, numbers, places))
            """),
        Bad("""
            import threading
            from contextlib import contextmanager
            from locale import LC_TIME, setlocale

            @contextmanager
            def speaking(language):
                old = setlocale(LC_TIME)
                setlocale(LC_TIME, language)  # expect: CON504
                yield
                setlocale(LC_TIME, old)

            def report(day):
                with speaking("de_DE"):
                    return day.strftime("%A")

            def main(day):
                threading.Thread(target=report, args=(day,)).start()
            """),
        Good("""
            import locale
            from concurrent.futures import ThreadPoolExecutor

            from babel.numbers import format_decimal

            def shown(number, where):
                return format_decimal(number, locale=where)

            def main(numbers, places):
                locale.setlocale(locale.LC_ALL, "")
                with ThreadPoolExecutor() as pool:
                    return list(pool.map(shown, numbers, places))
            """),
        Good("""
            import locale
            import multiprocessing
            import threading

            locale_lock = threading.Lock()

            def child(where):
                locale.setlocale(locale.LC_ALL, where)

            def worker(number, where):
                with locale_lock:
                    locale.setlocale(locale.LC_ALL, where)
                    return f"{number:n}"

            def main(where):
                multiprocessing.Process(target=child, args=(where,)).start()
                threading.Thread(target=worker, args=(1, where)).start()
            """),
    ),
)
