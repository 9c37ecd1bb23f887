"""conclint as a flake8 plugin: of each file what `conclint check` says of it, findings that need other files too.

flake8 calls plugins file by file, in several processes, and most files have nothing to say.  So the common case, a
project that is as it was, is answered from its stamp alone; what is imported here is imported for every file.
"""

from __future__ import annotations

import os
import re
import tokenize
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from conclint import __version__
from conclint.stamps import SETTINGS, Alarm, recall

if TYPE_CHECKING:
    import ast


# Modules that make code run beside other code.  A single file that imports none of these stands alone, and nothing in
# it can run at once with anything else.  A test compares with the tables of `conclint.knowledge`.
MODULES: Final = """
    _thread threading multiprocessing concurrent asyncio socketserver signal atexit weakref QueueListener handlers
    _dummy_thread dummy_threading thread server xmlrpc wsgiref sched tkinter queue mp
    anyio apscheduler asgiref billiard celery dask diskcache distributed django dramatiq eventlet fastapi fasteners
    filelock flask gevent greenlet huey joblib kafka kazoo loky multiprocess paramiko pathos portalocker PyQt5 PyQt6
    PySide2 PySide6 quart readerwriterlock redis rq sanic starlette subprocess torch tornado tqdm trio twisted watchdog
    can cherrypy google GPIO keyboard paho pyaudio pynput pyudev rospy serial slack_bolt sounddevice stomp telebot
    websocket zeroconf
"""
CONCURRENT: Final = frozenset(MODULES.split())
# What needs no import of its own: callbacks, forks, declarations, locks that somebody passes in.
WORDS: Final = ("preexec_fn", "def __del__", "fork", "conclint:", "guarded", "lock:")
WORD: Final = re.compile(r"\w+")

# What items are taken out of, and what loops run over, as far as words tell.
TAKEN: Final = re.compile(r"(\w+)\.(?:pop(?:item|left)?|remove|discard|clear|add|appendleft)\(|\bdel\s[^\n]*?(\w+)\[")
WALKED: Final = re.compile(r"\bfor\b.*\bin\b.*|\w+\.(?:keys|items|values)\(\)")


class Plugin:
    """The entry point; flake8 finds out by parameter name what it is to hand over."""

    name = "conclint"
    version = __version__

    def __init__(self, tree: ast.AST, filename: str, lines: Sequence[str]) -> None:
        self._filename = filename
        self._text = "".join(lines)

    def run(self) -> Iterator[tuple[int, int, str, type[Plugin]]]:
        for line, column, message in self._alarms():
            yield line, column - 1, message, type(self)

    def _alarms(self) -> Sequence[Alarm]:
        path = os.path.abspath(self._filename)
        try:
            if not _in_a_project(path):
                if not may_run_beside(self._text):
                    return []
            elif _on_disk(path, self._text):
                known = _known(path)
                if known is not None:
                    return known
            from conclint.one_file import alarms

            return alarms(path, self._text)
        except (Exception, RecursionError) as error:  # flake8 would stop at a traceback, other plugins' findings lost
            return [(1, 1, f"CON000 conclint failed here, its fault: {type(error).__name__}: {error}")]


def may_run_beside(text: str) -> bool:
    """Whether something in a file that stands alone may run beside the rest of it, or change what a loop runs over."""
    imports = [line for line in text.split("\n") if "import" in line]
    if not CONCURRENT.isdisjoint(WORD.findall("\n".join(imports))) or any(word in text for word in WORDS):
        return True
    taken = {name for names in TAKEN.findall(text) for name in names}
    return bool(taken) and not taken.isdisjoint(WORD.findall("\n".join(WALKED.findall(text))))


def _known(path: str) -> Sequence[Alarm] | None:
    """What was found in the file when the project was last checked, if nothing has changed since."""
    folder, seen = _cache_folder(), os.path.dirname(path)
    while folder is not None:
        stamp = recall(folder, seen)
        if stamp is not None:
            found = stamp.alarms.get(os.path.relpath(path, seen))
            if found is not None:
                return found
        if seen == os.path.dirname(seen):
            break
        seen = os.path.dirname(seen)
    return None


def _on_disk(path: str, text: str) -> bool:
    """Whether the file reads as flake8 was given it: an editor sends what is not yet saved."""
    try:
        with tokenize.open(path) as source:
            return source.read() == text.replace("\r\n", "\n").replace("\r", "\n")
    except (OSError, SyntaxError, ValueError):
        return False


@lru_cache
def _cache_folder() -> str | None:
    from conclint.lazily import lazily

    lazily("hashlib")  # a stamp needs neither of them
    lazily("sqlite3")
    from conclint.cache import default_folder

    folder = default_folder()
    return None if folder is None else str(folder)


def _in_a_project(path: str) -> bool:
    folder = os.path.dirname(path)
    while not any(os.path.isfile(os.path.join(folder, name)) for name in SETTINGS):
        if folder == os.path.dirname(folder):
            return False
        folder = os.path.dirname(folder)
    return True
