"""What a signal handler must not do, since it may interrupt the same thing half done."""

from __future__ import annotations

from conclint.knowledge.names import below

# Tables that install what is put into them as signal handlers.
# docs.celeryq.dev/en/stable/reference/celery.platforms.html
SIGNAL_TABLES = frozenset({"celery.platforms.signals"})

# docs.python.org/3/library/queue.html#queue.SimpleQueue.put: only that one is reentrant
QUEUES = frozenset(
    {
        *below("queue.Queue", "put get put_nowait get_nowait join task_done"),
        *below("multiprocessing.Queue", "put get put_nowait get_nowait"),
    }
)

# What ends the program.
ENDING = frozenset({"sys.exit", "os._exit", "os.abort", "builtins.exit", "builtins.quit", "signal.raise_signal"})
ENDING_ERRORS = frozenset({"SystemExit", "KeyboardInterrupt"})
