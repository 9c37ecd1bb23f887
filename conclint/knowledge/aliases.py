"""Other spellings of documented names, where the other spelling is the same object or takes the same arguments."""

from __future__ import annotations

from conclint.knowledge.names import below

# docs.python.org/3/library/threading.html, _thread.html, queue.html: where the objects are really made
THREADING = {
    "_thread.start_new": "_thread.start_new_thread",
    "_thread.allocate": "threading.Lock",
    "_thread.allocate_lock": "threading.Lock",
    "_thread.lock": "threading.Lock",
    "_thread.LockType": "threading.Lock",
    "_thread.RLock": "threading.RLock",
    "_thread._local": "threading.local",
    "threading._RLock": "threading.RLock",
    "threading._PyRLock": "threading.RLock",
    "threading._CRLock": "threading.RLock",
    "_queue.SimpleQueue": "queue.SimpleQueue",
    "_queue.Empty": "queue.Empty",
    "_threading_local.local": "threading.local",
    "concurrent.futures.thread.ThreadPoolExecutor": "concurrent.futures.ThreadPoolExecutor",
    "concurrent.futures.process.ProcessPoolExecutor": "concurrent.futures.ProcessPoolExecutor",
    "concurrent.futures.interpreter.InterpreterPoolExecutor": "concurrent.futures.InterpreterPoolExecutor",
    "concurrent.futures._base": "concurrent.futures",
    # docs.python.org/2/library/thread.html, queue.html, dummy_threading.html: Python 2 and before 3.9
    "thread.start_new_thread": "_thread.start_new_thread",
    "thread.allocate_lock": "threading.Lock",
    "dummy_threading": "threading",
    "_dummy_thread": "_thread",
    **{name: "q" + name[1:] for name in below("Queue", "Queue LifoQueue PriorityQueue Empty Full")},
    # six.readthedocs.io/#module-six.moves
    "six.moves.queue": "queue",
    "six.moves._thread": "_thread",
    "six.moves.builtins": "builtins",
    "six.moves.urllib": "urllib",
    "six.moves.http_client": "http.client",
    "six.moves.BaseHTTPServer": "http.server",
    "six.moves.socketserver": "socketserver",
    "six.moves.cPickle": "pickle",
    "future.moves.queue": "queue",
}

_OFFERED = (
    "Process Queue SimpleQueue JoinableQueue Pipe Lock RLock Condition Semaphore BoundedSemaphore Event Barrier "
    "Manager Value Array RawValue RawArray cpu_count current_process active_children get_logger freeze_support"
)

# docs.python.org/3/library/multiprocessing.html#contexts-and-start-methods: the module's own API
_CONTEXT = "multiprocessing.context.BaseContext"
MULTIPROCESSING = {
    **{f"{_CONTEXT}.{name}": f"multiprocessing.{name}" for name in _OFFERED.split()},
    f"{_CONTEXT}.Pool": "multiprocessing.pool.Pool",
    "multiprocessing.context.DefaultContext": _CONTEXT,
    "multiprocessing.context.SpawnContext": _CONTEXT,
    "multiprocessing.context.ForkContext": _CONTEXT,
    "multiprocessing.context.ForkServerContext": _CONTEXT,
    "multiprocessing.context.Process": "multiprocessing.Process",
    "multiprocessing.context.SpawnProcess": "multiprocessing.Process",
    "multiprocessing.context.ForkProcess": "multiprocessing.Process",
    "multiprocessing.context.ForkServerProcess": "multiprocessing.Process",
    "multiprocessing.process.BaseProcess": "multiprocessing.Process",
    "multiprocessing.Pool": "multiprocessing.pool.Pool",
    **{
        f"multiprocessing.queues.{name}": f"multiprocessing.{name}"
        for name in ("Queue", "SimpleQueue", "JoinableQueue")
    },
    **{
        f"multiprocessing.synchronize.{name}": f"multiprocessing.{name}"
        for name in ("Lock", "RLock", "Condition", "Semaphore", "BoundedSemaphore", "Event", "Barrier")
    },
    "multiprocessing.pool.MapResult": "multiprocessing.pool.AsyncResult",
    "multiprocessing.pool.ApplyResult": "multiprocessing.pool.AsyncResult",
    "multiprocessing.sharedctypes.Value": "multiprocessing.Value",
    "multiprocessing.sharedctypes.Array": "multiprocessing.Array",
    "multiprocessing.sharedctypes.RawValue": "multiprocessing.RawValue",
    "multiprocessing.process.current_process": "multiprocessing.current_process",
    "multiprocessing.process.active_children": "multiprocessing.active_children",
    # multiprocessing with another pickler or another build: the same names
    # pypi.org/project/multiprocess, billiard.readthedocs.io, pytorch.org/docs/stable/multiprocessing.html
    "multiprocess": "multiprocessing",
    "billiard": "multiprocessing",
    "torch.multiprocessing": "multiprocessing",
    "pathos.helpers.mp": "multiprocessing",
    "joblib.externals.loky": "loky",
    # loky.readthedocs.io/en/stable/API.html
    "loky.ProcessPoolExecutor": "concurrent.futures.ProcessPoolExecutor",
    "loky.process_executor.ProcessPoolExecutor": "concurrent.futures.ProcessPoolExecutor",
}

# docs.python.org/3/library/multiprocessing.html#module-multiprocessing.dummy: the same API on threads
DUMMY = {
    "multiprocessing.dummy.Process": "threading.Thread",
    "multiprocessing.dummy.DummyProcess": "threading.Thread",
    "multiprocessing.dummy.Pool": "multiprocessing.pool.ThreadPool",
    "multiprocessing.dummy.Queue": "queue.Queue",
    "multiprocessing.dummy.JoinableQueue": "queue.Queue",
    "multiprocessing.dummy.current_process": "threading.current_thread",
    "multiprocessing.dummy.list": "builtins.list",
    "multiprocessing.dummy.dict": "builtins.dict",
    **{
        f"multiprocessing.dummy.{name}": f"threading.{name}"
        for name in ("Lock", "RLock", "Semaphore", "BoundedSemaphore", "Condition", "Event", "Barrier")
    },
}

# docs.python.org/3/library/asyncio-eventloop.html, asyncio-sync.html: defined in submodules, documented in asyncio
ASYNCIO = {
    **{f"asyncio.{module}": "asyncio" for module in (
        "locks", "queues", "tasks", "futures", "runners", "taskgroups", "timeouts", "threads", "protocols", "streams",
        "coroutines", "transports",
    )},
    "asyncio.events": "asyncio",
    "asyncio.base_events": "asyncio",
    "asyncio.unix_events": "asyncio",
    "asyncio.selector_events": "asyncio",
    # trio.readthedocs.io, anyio.readthedocs.io, starlette.io: re-exported under shorter names
    "anyio.create_lock": "anyio.Lock",
    "anyio._core._synchronization": "anyio",
    "fastapi.concurrency.run_in_threadpool": "starlette.concurrency.run_in_threadpool",
    "fastapi.BackgroundTasks": "starlette.background.BackgroundTasks",
    "fastapi.background.BackgroundTasks": "starlette.background.BackgroundTasks",
    "fastapi.routing.APIRouter": "fastapi.APIRouter",
    "fastapi.applications.FastAPI": "fastapi.FastAPI",
    "fastapi.param_functions.Depends": "fastapi.Depends",
}  # fmt: skip

# typing.python.org: the deprecated generic names stand for the built-in classes
TYPING = {
    "typing.List": "builtins.list",
    "typing.Dict": "builtins.dict",
    "typing.Set": "builtins.set",
    "typing.FrozenSet": "builtins.frozenset",
    "typing.Tuple": "builtins.tuple",
    "typing.Type": "builtins.type",
    "typing.Text": "builtins.str",
    "typing.Deque": "collections.deque",
    "typing.DefaultDict": "collections.defaultdict",
    "typing.OrderedDict": "collections.OrderedDict",
    "typing.Counter": "collections.Counter",
    "typing.ChainMap": "collections.ChainMap",
    **{f"typing.{name}": f"collections.abc.{name}" for name in (
        "Callable", "Iterable", "Iterator", "Generator", "Sequence", "MutableSequence", "Mapping", "MutableMapping",
        "MutableSet", "Awaitable", "Coroutine", "AsyncIterable", "AsyncIterator", "AsyncGenerator", "Collection",
        "Hashable", "Sized", "Container", "Reversible", "KeysView", "ValuesView", "ItemsView",
    )},
    "typing.AbstractSet": "collections.abc.Set",
    "typing.ContextManager": "contextlib.AbstractContextManager",
    "typing.AsyncContextManager": "contextlib.AbstractAsyncContextManager",
    "typing_extensions": "typing",
    "_collections_abc": "collections.abc",
}  # fmt: skip

# docs.python.org/3/library/os.path.html, io.html, socket.html, pickle.html: platform or C spellings
PLATFORM = {
    "posixpath": "os.path",
    "ntpath": "os.path",
    "posix": "os",
    "io.open": "builtins.open",
    "_io.open": "builtins.open",
    "_io": "io",
    "_socket": "socket",
    "_ssl": "ssl",
    "_pickle": "pickle",
    "_json": "json",
    "_collections.deque": "collections.deque",
    "_weakref.ref": "weakref.ref",
    "weakref.ReferenceType": "weakref.ref",
    "sqlite3.dbapi2": "sqlite3",
    "cPickle": "pickle",
    "pathlib.PosixPath": "pathlib.Path",
    "pathlib.WindowsPath": "pathlib.Path",
    "pathlib._local.Path": "pathlib.Path",
}

# Classes that packages document at their top and define below.
# requests.readthedocs.io, urllib3.readthedocs.io, redis.readthedocs.io, flask.palletsprojects.com, watchdog, sqlalchemy
PACKAGES = {
    "requests.api": "requests",
    "requests.sessions.Session": "requests.Session",
    "requests.sessions.session": "requests.session",
    "requests.models": "requests",
    "urllib3.poolmanager.PoolManager": "urllib3.PoolManager",
    "urllib3.poolmanager.ProxyManager": "urllib3.ProxyManager",
    "urllib3.connectionpool.HTTPConnectionPool": "urllib3.HTTPConnectionPool",
    "urllib3.connectionpool.HTTPSConnectionPool": "urllib3.HTTPSConnectionPool",
    "redis.StrictRedis": "redis.Redis",
    "redis.client.Redis": "redis.Redis",
    "redis.client.StrictRedis": "redis.Redis",
    "pymongo.mongo_client.MongoClient": "pymongo.MongoClient",
    "flask.app.Flask": "flask.Flask",
    "flask.blueprints.Blueprint": "flask.Blueprint",
    "django.views.generic.View": "django.views.View",
    "django.views.generic.base.View": "django.views.View",
    "celery.app.base.Celery": "celery.Celery",
    "celery.app.Celery": "celery.Celery",
    "celery.app.task.Task": "celery.Task",
    "celery.app.shared_task": "celery.shared_task",
    "huey.Huey": "huey.api.Huey",
    "rq.queue.Queue": "rq.Queue",
    "rq.job": "rq.decorators.job",
    "paramiko.client.SSHClient": "paramiko.SSHClient",
    "paramiko.transport.Transport": "paramiko.Transport",
    "paramiko.server.ServerInterface": "paramiko.ServerInterface",
    "boto3.session.Session": "boto3.Session",
    "kafka.producer.KafkaProducer": "kafka.KafkaProducer",
    "kafka.consumer.KafkaConsumer": "kafka.KafkaConsumer",
    "sqlalchemy.engine.create_engine": "sqlalchemy.create_engine",
    "sqlalchemy.engine.base.Engine": "sqlalchemy.engine.Engine",
    "sqlalchemy.engine.base.Connection": "sqlalchemy.engine.Connection",
    "sqlalchemy.Engine": "sqlalchemy.engine.Engine",
    "sqlalchemy.Connection": "sqlalchemy.engine.Connection",
    "sqlalchemy.orm.session.Session": "sqlalchemy.orm.Session",
    "sqlalchemy.ext.asyncio.session.AsyncSession": "sqlalchemy.ext.asyncio.AsyncSession",
    "pika.adapters.blocking_connection.BlockingConnection": "pika.BlockingConnection",
    "distributed.client.Client": "distributed.Client",
    "dask.distributed.Client": "distributed.Client",
    "joblib.parallel.delayed": "joblib.delayed",
    "joblib.parallel.Parallel": "joblib.Parallel",
    "sklearn.utils.parallel.delayed": "joblib.delayed",
    "sklearn.utils.parallel.Parallel": "joblib.Parallel",
    "filelock._api.BaseFileLock": "filelock.BaseFileLock",
    "readerwriterlock.rwlock.RWLockFairD": "readerwriterlock.rwlock.RWLockFair",
    "readerwriterlock.rwlock.RWLockReadD": "readerwriterlock.rwlock.RWLockRead",
    "readerwriterlock.rwlock.RWLockWriteD": "readerwriterlock.rwlock.RWLockWrite",
}

ALIASES = THREADING | MULTIPROCESSING | DUMMY | ASYNCIO | TYPING | PLATFORM | PACKAGES
