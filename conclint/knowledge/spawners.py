"""Calls of the standard library that make other code run somewhere else."""

from __future__ import annotations

from conclint.knowledge.kinds import Context, Spawner, Target
from conclint.knowledge.names import below, each

FINALIZER, LOOP, MAIN, PROCESS, SIGNAL, THREAD = (
    Context.FINALIZER, Context.LOOP, Context.MAIN, Context.PROCESS, Context.SIGNAL, Context.THREAD,
)  # fmt: skip

# docs.python.org/3/library/threading.html#thread-objects, #timer-objects: the target, or `run` in a subclass
# docs.python.org/3/library/_thread.html
THREADS = {
    "threading.Thread": Spawner(THREAD, position=1, keyword="target", methods=("run",)),
    "threading.Timer": Spawner(THREAD, position=1, keyword="function", methods=("run",)),
    "_thread.start_new_thread": Spawner(THREAD),
}

# docs.python.org/3/library/multiprocessing.html#process-and-exceptions, #customized-managers
PROCESSES = {
    "multiprocessing.Process": Spawner(PROCESS, position=1, keyword="target", methods=("run",)),
    "multiprocessing.managers.BaseManager.register": Spawner(PROCESS, position=1, keyword="callable"),
    "multiprocessing.managers.BaseManager.start": Spawner(PROCESS, keyword="initializer"),
    # docs.python.org/3/library/subprocess.html#subprocess.Popen: between fork and exec
    "subprocess.Popen": Spawner(PROCESS, position=None, keyword="preexec_fn"),
}

# docs.python.org/3/library/concurrent.futures.html: `fn` is positional in submit and map
EXECUTORS = {
    "concurrent.futures.ThreadPoolExecutor": Spawner(THREAD, position=2, keyword="initializer", many=True),
    "concurrent.futures.ThreadPoolExecutor.submit": Spawner(THREAD),
    "concurrent.futures.ThreadPoolExecutor.map": Spawner(THREAD, many=True),
    "concurrent.futures.ProcessPoolExecutor": Spawner(PROCESS, position=2, keyword="initializer", many=True),
    "concurrent.futures.ProcessPoolExecutor.submit": Spawner(PROCESS),
    "concurrent.futures.ProcessPoolExecutor.map": Spawner(PROCESS, many=True),
    # Each interpreter has its own modules and objects: as separate as a process (since 3.14).
    "concurrent.futures.InterpreterPoolExecutor": Spawner(PROCESS, position=2, keyword="initializer", many=True),
    "concurrent.futures.InterpreterPoolExecutor.submit": Spawner(PROCESS),
    "concurrent.futures.InterpreterPoolExecutor.map": Spawner(PROCESS, many=True),
    # An executor that someone hands in: a thread pool is the usual one.
    "concurrent.futures.Executor.submit": Spawner(THREAD),
    "concurrent.futures.Executor.map": Spawner(THREAD, many=True),
    # "called ... in a thread belonging to the process that added them"
    "concurrent.futures.Future.add_done_callback": Spawner(THREAD, keyword="fn"),
    # docs.python.org/3/library/concurrent.interpreters.html (since 3.14)
    "concurrent.interpreters.Interpreter.call_in_thread": Spawner(PROCESS),
}

# docs.python.org/3/library/multiprocessing.html#multiprocessing.pool.Pool: one thread handles the results
_CALLBACKS = (  # in map_async after func, iterable, chunksize; in apply_async after func, args, kwds
    Spawner(THREAD, position=3, keyword="callback"),
    Spawner(THREAD, position=4, keyword="error_callback"),
)


def _pool(owner: str, context: Context) -> dict[str, Spawner]:
    return {
        owner: Spawner(context, position=1, keyword="initializer", many=True),
        f"{owner}.apply": Spawner(context, keyword="func"),
        f"{owner}.apply_async": Spawner(context, keyword="func", also=_CALLBACKS),
        **each(below(owner, "map imap imap_unordered starmap"), Spawner(context, keyword="func", many=True)),
        **each(
            below(owner, "map_async starmap_async"),
            Spawner(context, keyword="func", many=True, also=_CALLBACKS),
        ),
    }


POOLS = _pool("multiprocessing.pool.Pool", PROCESS) | _pool("multiprocessing.pool.ThreadPool", THREAD)

_EVENT_LOOP = "asyncio.AbstractEventLoop"
_PROTOCOL = Spawner(
    LOOP,
    Target.METHODS,
    methods=(
        "connection_made", "connection_lost", "data_received", "eof_received", "datagram_received", "error_received",
        "pause_writing", "resume_writing", "get_buffer", "buffer_updated", "pipe_data_received", "pipe_connection_lost",
        "process_exited",
    ),
)  # fmt: skip

# docs.python.org/3/library/asyncio-eventloop.html
EVENT_LOOP = {
    **each(below(_EVENT_LOOP, "call_soon call_soon_threadsafe"), Spawner(LOOP, keyword="callback")),
    **each(below(_EVENT_LOOP, "call_later call_at"), Spawner(LOOP, position=1, keyword="callback")),
    **each(
        below(_EVENT_LOOP, "add_reader add_writer add_signal_handler"), Spawner(LOOP, position=1, keyword="callback")
    ),
    f"{_EVENT_LOOP}.create_task": Spawner(LOOP, keyword="coro"),
    f"{_EVENT_LOOP}.run_until_complete": Spawner(LOOP, keyword="future"),
    # The executor comes first; None stands for the loop's own thread pool.
    f"{_EVENT_LOOP}.run_in_executor": Spawner(THREAD, position=1, keyword="func"),
    **each(
        below(_EVENT_LOOP, "create_server create_unix_server create_connection create_datagram_endpoint"),
        Spawner(LOOP, keyword="protocol_factory", many=True),
    ),
}

# docs.python.org/3/library/asyncio-task.html, asyncio-runner.html, asyncio-future.html, asyncio-stream.html
ASYNCIO = {
    **EVENT_LOOP,
    "asyncio.run": Spawner(LOOP, keyword="main"),
    "asyncio.Runner.run": Spawner(LOOP, keyword="coro"),
    "asyncio.create_task": Spawner(LOOP, keyword="coro"),
    "asyncio.ensure_future": Spawner(LOOP, keyword="coro_or_future"),
    "asyncio.gather": Spawner(LOOP, rest=True),
    "asyncio.wait_for": Spawner(LOOP, keyword="fut"),
    "asyncio.shield": Spawner(LOOP, keyword="arg"),
    "asyncio.TaskGroup.create_task": Spawner(LOOP, keyword="coro"),
    "asyncio.run_coroutine_threadsafe": Spawner(LOOP, keyword="coro"),
    "asyncio.to_thread": Spawner(THREAD),
    "asyncio.Future.add_done_callback": Spawner(LOOP),
    **each(below("asyncio", "start_server start_unix_server"), Spawner(LOOP, keyword="client_connected_cb", many=True)),
    # docs.python.org/3/library/asyncio-protocol.html: the loop calls the methods
    "asyncio.BaseProtocol": _PROTOCOL,
}

_HANDLER = ("__init__", "setup", "handle*", "finish", "do_*", "log_*", "send_*", "end_headers", "verify_request")
_SERVER = ("process_request_thread", "finish_request", "shutdown_request", "handle_error")
_THREADING_SERVER = Spawner(
    THREAD,
    Target.HANDLER,
    position=1,
    keyword="RequestHandlerClass",
    methods=_HANDLER,
    many=True,
    also=(Spawner(THREAD, Target.METHODS, methods=_SERVER, many=True),),
)
_FORKING_SERVER = Spawner(
    PROCESS, Target.HANDLER, position=1, keyword="RequestHandlerClass", methods=_HANDLER, many=True
)

# docs.python.org/3/library/socketserver.html#socketserver.ThreadingMixIn: one thread (or process) per request
# docs.python.org/3/library/http.server.html#http.server.ThreadingHTTPServer
SERVERS = {
    "socketserver.ThreadingMixIn": _THREADING_SERVER,
    "socketserver.ForkingMixIn": _FORKING_SERVER,
}

# What the interpreter calls by itself.
INTERPRETER = {
    # docs.python.org/3/library/signal.html#signal.signal: between two steps of the main thread
    "signal.signal": Spawner(SIGNAL, position=1),
    # docs.python.org/3/library/atexit.html: in the main thread, after the other threads were joined
    "atexit.register": Spawner(MAIN, also=(Spawner(MAIN, Target.DECORATED),)),
    # docs.python.org/3/library/weakref.html: in whatever thread drops the last reference or runs the collector
    "weakref.finalize": Spawner(FINALIZER, position=1),
    **each(below("weakref", "ref proxy WeakMethod"), Spawner(FINALIZER, position=1)),
    # docs.python.org/3/library/threading.html#threading.settrace, #threading.setprofile: in every thread started later
    **each(below("threading", "settrace setprofile"), Spawner(THREAD, keyword="func", many=True)),
    # docs.python.org/3/library/logging.handlers.html#queuelistener: "an internal thread"
    "logging.handlers.QueueListener": Spawner(THREAD, Target.METHODS, methods=("handle", "prepare", "dequeue")),
}

STANDARD = THREADS | PROCESSES | EXECUTORS | POOLS | ASYNCIO | SERVERS | INTERPRETER
