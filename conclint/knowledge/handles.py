"""What library calls do with a thread, process or pool that they are given: most keep it, these only look at it."""

from __future__ import annotations

from conclint.knowledge.locks import methods
from conclint.knowledge.names import below, members

# docs.python.org/3/library/functions.html
# docs.python.org/3/library/asyncio-eventloop.html: the loop runs work in the executor, and never ends it
BORROWS = frozenset(
    {
        *below("builtins", "len print repr str id hash isinstance issubclass type bool hasattr getattr any all"),
        *below("builtins", "list tuple set frozenset sorted reversed iter next enumerate zip sum min max format"),
        *below("asyncio.AbstractEventLoop", "run_in_executor"),
        *below("logging", "debug info warning error critical exception log"),
        *below("logging.Logger", "debug info warning error critical exception log"),
        *below("weakref", "ref proxy"),
        *below("concurrent.futures", "as_completed"),
        *below("typing", "cast"),
    }
)

# Methods of containers: what is added is followed, what is taken out is what was put in.
CONTAINER = members("append add insert appendleft setdefault discard remove index count extend update")

# Methods by which somebody ends, awaits or watches what a handle stands for.
ENDINGS = members(
    """
    join shutdown close terminate cancel kill stop wait result is_alive quit exit finish abort end halt disconnect
    release cleanup request_stop shut_down interrupt __exit__ __enter__
    """
)

# Methods with which an object ends, and all that it keeps.
LAST_METHODS = members(
    """
    close stop shutdown terminate __exit__ __aexit__ aclose dispose tearDown teardown cleanup join quit finish end
    destroy
    """
)

# What a method with such a word in its name ends is one of the things that the object does.
PARTLY = members("cancel wait join")

# Attributes that only who waits for a handle, or ends it, reads.
WATCHED = ENDINGS | members("exitcode sentinel isAlive unlink")

# What ends something that runs or is held, by the documentation of the classes.
# docs.python.org/3/library/threading.html, multiprocessing.html, concurrent.futures.html, socketserver.html
ENDS = frozenset(
    {
        *methods("release"),
        *below("threading", "Thread.join Timer.cancel Event.set"),
        *below("multiprocessing", "Process.join Process.terminate Process.kill Event.set"),
        *below("multiprocessing.pool.Pool", "close terminate join"),
        *below("multiprocessing.shared_memory.SharedMemory", "close unlink"),
        *below("multiprocessing.managers.BaseManager", "shutdown"),
        *below("concurrent.futures.Executor", "shutdown"),
        *below("socketserver.BaseServer", "shutdown server_close"),
        *below("asyncio", "Task.cancel AbstractEventLoop.close AbstractEventLoop.stop"),
        *below("subprocess.Popen", "terminate kill"),
    }
)
