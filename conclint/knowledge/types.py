"""Library classes: their bases, and which of them may be shared by threads."""

from __future__ import annotations

from conclint.knowledge.names import below, each

# docs.python.org/3/library/multiprocessing.html#multiprocessing.managers.SyncManager: what lives in the manager's
# process, and is reached through a proxy that may be sent to any other
PROXIES = ("Lock", "RLock", "Condition", "Semaphore", "BoundedSemaphore", "Event", "Barrier", "Queue", "JoinableQueue")

# docs.python.org/3/library/threading.html, concurrent.futures.html, multiprocessing.html, queue.html, asyncio-*.html
CONCURRENCY: dict[str, tuple[str, ...]] = {
    **each(["threading.Timer", "threading._DummyThread", "threading._MainThread"], ("threading.Thread",)),
    "threading.BoundedSemaphore": ("threading.Semaphore",),
    "multiprocessing.BoundedSemaphore": ("multiprocessing.Semaphore",),
    "multiprocessing.JoinableQueue": ("multiprocessing.Queue",),
    # ThreadPool is a Pool whose workers are threads: its own entries come first.
    "multiprocessing.pool.ThreadPool": ("multiprocessing.pool.Pool",),
    "multiprocessing.managers.SyncManager": ("multiprocessing.managers.BaseManager",),
    "multiprocessing.managers.SharedMemoryManager": ("multiprocessing.managers.BaseManager",),
    **{f"multiprocessing.managers.SyncManager.{name}": (f"multiprocessing.{name}",) for name in PROXIES},
    **each(
        below("multiprocessing.sharedctypes", "Synchronized SynchronizedArray SynchronizedString"),
        ("multiprocessing.sharedctypes.SynchronizedBase",),
    ),
    **each(
        below("concurrent.futures", "ThreadPoolExecutor ProcessPoolExecutor"),
        ("concurrent.futures.Executor",),
    ),
    "concurrent.futures.InterpreterPoolExecutor": ("concurrent.futures.ThreadPoolExecutor",),
    **each(["queue.LifoQueue", "queue.PriorityQueue"], ("queue.Queue",)),
    **each(["asyncio.LifoQueue", "asyncio.PriorityQueue"], ("asyncio.Queue",)),
    "asyncio.BoundedSemaphore": ("asyncio.Semaphore",),
    "asyncio.Task": ("asyncio.Future",),
    **each(
        [*below("asyncio", "BaseEventLoop SelectorEventLoop ProactorEventLoop"), "uvloop.Loop"],
        ("asyncio.AbstractEventLoop",),
    ),
    **each(
        below("asyncio", "Protocol BufferedProtocol DatagramProtocol SubprocessProtocol"), ("asyncio.BaseProtocol",)
    ),
    "distributed.cfexecutor.ClientExecutor": ("concurrent.futures.Executor",),
    "loky.reusable_executor._ReusablePoolExecutor": ("concurrent.futures.ProcessPoolExecutor",),
}

# docs.python.org/3/library/collections.html, enum.html, io.html#class-hierarchy, pathlib.html
DATA: dict[str, tuple[str, ...]] = {
    **each(below("collections", "OrderedDict defaultdict Counter"), ("builtins.dict",)),
    **each(below("collections", "UserDict ChainMap"), ("collections.abc.MutableMapping",)),
    "collections.UserList": ("collections.abc.MutableSequence",),
    "os._Environ": ("collections.abc.MutableMapping",),
    **each(below("weakref", "WeakValueDictionary WeakKeyDictionary"), ("collections.abc.MutableMapping",)),
    "weakref.WeakSet": ("collections.abc.MutableSet",),
    "configparser.RawConfigParser": ("collections.abc.MutableMapping",),
    "configparser.ConfigParser": ("configparser.RawConfigParser",),
    "email.message.EmailMessage": ("email.message.Message",),
    "pathlib.Path": ("pathlib.PurePath",),
    **each(below("io", "RawIOBase BufferedIOBase TextIOBase"), ("io.IOBase",)),
    "io.FileIO": ("io.RawIOBase",),
    **each(below("io", "BufferedReader BufferedWriter BufferedRandom BufferedRWPair BytesIO"), ("io.BufferedIOBase",)),
    **each(below("io", "TextIOWrapper StringIO"), ("io.TextIOBase",)),
    **each(["typing.TextIO", "typing.BinaryIO"], ("typing.IO",)),
    "typing.IO": ("io.IOBase",),
    "socket.socket": (),  # a class, whatever its name looks like
    "ssl.SSLSocket": ("socket.socket",),
    **each(["shelve.Shelf", "shelve.BsdDbShelf"], ("collections.abc.MutableMapping",)),
    "shelve.DbfilenameShelf": ("shelve.Shelf",),
}

_TCP = "socketserver.TCPServer"
_REQUEST = "socketserver.BaseRequestHandler"

# docs.python.org/3/library/socketserver.html, http.server.html, xmlrpc.server.html, wsgiref.html
SERVERS: dict[str, tuple[str, ...]] = {
    _TCP: ("socketserver.BaseServer",),
    "socketserver.UDPServer": (_TCP,),
    "socketserver.UnixStreamServer": (_TCP,),
    "socketserver.UnixDatagramServer": ("socketserver.UDPServer",),
    "socketserver.ThreadingTCPServer": ("socketserver.ThreadingMixIn", _TCP),
    "socketserver.ThreadingUDPServer": ("socketserver.ThreadingMixIn", "socketserver.UDPServer"),
    "socketserver.ThreadingUnixStreamServer": ("socketserver.ThreadingMixIn", "socketserver.UnixStreamServer"),
    "socketserver.ThreadingUnixDatagramServer": ("socketserver.ThreadingMixIn", "socketserver.UnixDatagramServer"),
    "socketserver.ForkingTCPServer": ("socketserver.ForkingMixIn", _TCP),
    "socketserver.ForkingUDPServer": ("socketserver.ForkingMixIn", "socketserver.UDPServer"),
    "http.server.HTTPServer": (_TCP,),
    "http.server.ThreadingHTTPServer": ("socketserver.ThreadingMixIn", "http.server.HTTPServer"),
    "http.server.HTTPSServer": ("http.server.HTTPServer",),
    "http.server.ThreadingHTTPSServer": ("socketserver.ThreadingMixIn", "http.server.HTTPSServer"),
    "wsgiref.simple_server.WSGIServer": ("http.server.HTTPServer",),
    "xmlrpc.server.SimpleXMLRPCServer": (_TCP, "xmlrpc.server.SimpleXMLRPCDispatcher"),
    "socketserver.StreamRequestHandler": (_REQUEST,),
    "socketserver.DatagramRequestHandler": (_REQUEST,),
    "http.server.BaseHTTPRequestHandler": ("socketserver.StreamRequestHandler",),
    "http.server.SimpleHTTPRequestHandler": ("http.server.BaseHTTPRequestHandler",),
    "http.server.CGIHTTPRequestHandler": ("http.server.SimpleHTTPRequestHandler",),
    "wsgiref.simple_server.WSGIRequestHandler": ("http.server.BaseHTTPRequestHandler",),
    "xmlrpc.server.SimpleXMLRPCRequestHandler": ("http.server.BaseHTTPRequestHandler",),
}

# docs.python.org/3/library/logging.handlers.html
LOGGING: dict[str, tuple[str, ...]] = {
    "logging.RootLogger": ("logging.Logger",),
    **each(["logging.StreamHandler", "logging.NullHandler"], ("logging.Handler",)),
    "logging.FileHandler": ("logging.StreamHandler",),
    **each(
        below("logging.handlers", "BaseRotatingHandler WatchedFileHandler"),
        ("logging.FileHandler",),
    ),
    **each(
        below("logging.handlers", "RotatingFileHandler TimedRotatingFileHandler"),
        ("logging.handlers.BaseRotatingHandler",),
    ),
    **each(
        below("logging.handlers", "SocketHandler SysLogHandler SMTPHandler BufferingHandler HTTPHandler QueueHandler"),
        ("logging.Handler",),
    ),
    "logging.handlers.DatagramHandler": ("logging.handlers.SocketHandler",),
    "logging.handlers.MemoryHandler": ("logging.handlers.BufferingHandler",),
}

_SCHEDULERS = "apscheduler.schedulers"

# The packages' API pages; gevent's scheduler runs greenlets and has no entry.
PACKAGES: dict[str, tuple[str, ...]] = {
    **each(
        [
            f"{_SCHEDULERS}.background.BackgroundScheduler",
            f"{_SCHEDULERS}.blocking.BlockingScheduler",
            f"{_SCHEDULERS}.asyncio.AsyncIOScheduler",
            f"{_SCHEDULERS}.tornado.TornadoScheduler",
            f"{_SCHEDULERS}.twisted.TwistedScheduler",
            f"{_SCHEDULERS}.qt.QtScheduler",
        ],
        (f"{_SCHEDULERS}.base.BaseScheduler",),
    ),
    "flask.views.MethodView": ("flask.views.View",),
    # docs.djangoproject.com/ref/class-based-views: all of them are Views
    **each(
        below(
            "django.views.generic",
            "TemplateView RedirectView DetailView ListView FormView CreateView UpdateView DeleteView",
        ),
        ("django.views.View",),
    ),
    "rest_framework.views.APIView": ("django.views.View",),
    **each(
        below("huey", "RedisHuey SqliteHuey MemoryHuey FileHuey PriorityRedisHuey RedisExpireHuey BlackHoleHuey"),
        ("huey.api.Huey",),
    ),
    **each(
        below("watchdog.events", "PatternMatchingEventHandler RegexMatchingEventHandler LoggingEventHandler"),
        ("watchdog.events.FileSystemEventHandler",),
    ),
    **each(below("filelock", "FileLock SoftFileLock UnixFileLock WindowsFileLock"), ("filelock.BaseFileLock",)),
    "portalocker.RLock": ("portalocker.Lock",),
    "urllib3.ProxyManager": ("urllib3.PoolManager",),
    "urllib3.HTTPSConnectionPool": ("urllib3.HTTPConnectionPool",),
    "redis.RedisCluster": ("redis.Redis",),
    "tornado.web.StaticFileHandler": ("tornado.web.RequestHandler",),
    "tornado.websocket.WebSocketHandler": ("tornado.web.RequestHandler",),
    # discordpy.readthedocs.io/en/stable/ext/commands/api.html; docs.aiogram.dev/en/latest/dispatcher/dispatcher.html
    **{f"{library}.ext.commands.Bot": (f"{library}.Client",) for library in ("discord", "nextcord", "disnake")},
    "aiogram.Dispatcher": ("aiogram.Router",),
}
BASES = CONCURRENCY | DATA | SERVERS | LOGGING | PACKAGES

# Types that document that several threads may use one object.
THREAD_SAFE = frozenset(
    {
        # docs.python.org/3/library/queue.html: "all the required locking semantics"
        *below("queue", "Queue LifoQueue PriorityQueue SimpleQueue"),
        # docs.python.org/3/library/threading.html: local and ContextVar give each thread a value of its own
        *below("threading", "Event Barrier local"),
        "contextvars.ContextVar",
        # docs.python.org/3/library/multiprocessing.html#pipes-and-queues: "thread and process safe"
        *below("multiprocessing", "Queue SimpleQueue JoinableQueue Event Barrier"),
        # docs.python.org/3/library/concurrent.futures.html: made to be handed between threads
        *below("concurrent.futures", "Future Executor ThreadPoolExecutor ProcessPoolExecutor InterpreterPoolExecutor"),
        # docs.python.org/3/library/logging.html#thread-safety
        *below("logging", "Logger LoggerAdapter Handler RootLogger"),
        # redis.readthedocs.io/en/stable/advanced_features.html#a-note-about-threading: not pipelines, not PubSub
        *below("redis", "Redis ConnectionPool lock.Lock"),
        # pymongo.readthedocs.io/en/stable/api/pymongo/mongo_client.html: "The client object is thread-safe"
        "pymongo.MongoClient",
        # urllib3.readthedocs.io/en/stable/reference/urllib3.connectionpool.html: "Thread-safe connection pool"
        *below("urllib3", "PoolManager HTTPConnectionPool HTTPSConnectionPool"),
        # boto3.amazonaws.com/v1/documentation/api/latest/guide/clients.html: clients, not sessions nor resources
        "botocore.client.BaseClient",
        # docs.sqlalchemy.org/en/20/core/connections.html, orm/contextual.html: not a Session
        *below("sqlalchemy", "engine.Engine orm.scoped_session orm.sessionmaker"),
        # psycopg.org/psycopg3/docs/advanced/async.html, psycopg.org/docs/usage.html#thread-safety: not cursors
        *below("psycopg", "Connection"), *below("psycopg2", "extensions.connection"),
        # kafka-python.readthedocs.io/en/master/apidoc/KafkaProducer.html: the producer, not the consumer
        "kafka.KafkaProducer",
    }
)  # fmt: skip
