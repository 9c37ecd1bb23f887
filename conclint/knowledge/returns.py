"""What library functions return and attributes hold, where it is an object that some rule asks about."""

from __future__ import annotations

from conclint.knowledge.names import below, each
from conclint.knowledge.types import PROXIES

_CONTEXT = "multiprocessing.context.BaseContext"
_MANAGER = "multiprocessing.managers.SyncManager"
_POOL = "multiprocessing.pool.Pool"

# docs.python.org/3/library/threading.html, multiprocessing.html, concurrent.futures.html
CONCURRENCY = {
    **each(below("threading", "current_thread currentThread main_thread"), "threading.Thread"),
    "threading.enumerate": "builtins.list",
    "threading.local": "threading.local",
    "multiprocessing.get_context": _CONTEXT,
    f"{_CONTEXT}.get_context": _CONTEXT,
    "multiprocessing.Manager": _MANAGER,
    **each(below("multiprocessing", "current_process parent_process"), "multiprocessing.Process"),
    "multiprocessing.active_children": "builtins.list",
    "multiprocessing.get_logger": "logging.Logger",
    "multiprocessing.Value": "multiprocessing.sharedctypes.Synchronized",
    "multiprocessing.Array": "multiprocessing.sharedctypes.SynchronizedArray",
    "multiprocessing.RawValue": "ctypes._SimpleCData",  # without a lock
    "multiprocessing.sharedctypes.SynchronizedBase.get_lock": "multiprocessing.RLock",
    # docs.python.org/3/library/multiprocessing.html#multiprocessing.managers.SyncManager: proxies of these
    **{f"{_MANAGER}.{name}": f"{_MANAGER}.{name}" for name in PROXIES},
    f"{_MANAGER}.dict": "multiprocessing.managers.DictProxy",
    f"{_MANAGER}.list": "multiprocessing.managers.ListProxy",
    f"{_MANAGER}.Namespace": "multiprocessing.managers.NamespaceProxy",
    f"{_MANAGER}.Value": "multiprocessing.managers.ValueProxy",
    f"{_MANAGER}.Pool": _POOL,
    **each(below(_POOL, "apply_async map_async starmap_async"), "multiprocessing.pool.AsyncResult"),
    **each(below(_POOL, "map starmap"), "builtins.list"),
    **each(below("multiprocessing.pool.ThreadPool", "apply_async map_async starmap_async"),
           "multiprocessing.pool.AsyncResult"),
    **each(below("multiprocessing.pool.ThreadPool", "map starmap"), "builtins.list"),
    **each(
        [f"concurrent.futures.{kind}.submit" for kind in (
            "Executor", "ThreadPoolExecutor", "ProcessPoolExecutor", "InterpreterPoolExecutor",
        )],
        "concurrent.futures.Future",
    ),
    "loky.get_reusable_executor": "concurrent.futures.ProcessPoolExecutor",
    "distributed.Client.get_executor": "distributed.cfexecutor.ClientExecutor",
}  # fmt: skip

# docs.python.org/3/library/asyncio-eventloop.html, asyncio-task.html
ASYNCIO = {
    **each(below("asyncio", "get_event_loop get_running_loop new_event_loop"), "asyncio.AbstractEventLoop"),
    "asyncio.AbstractEventLoopPolicy.get_event_loop": "asyncio.AbstractEventLoop",
    "asyncio.get_event_loop_policy": "asyncio.AbstractEventLoopPolicy",
    "asyncio.Runner.get_loop": "asyncio.AbstractEventLoop",
    "asyncio.AbstractEventLoop.run_in_executor": "asyncio.Future",
    "asyncio.AbstractEventLoop.create_future": "asyncio.Future",
    **each(["asyncio.create_task", "asyncio.AbstractEventLoop.create_task", "asyncio.TaskGroup.create_task"],
           "asyncio.Task"),
    "asyncio.current_task": "asyncio.Task",
    "asyncio.all_tasks": "builtins.set",
    **each(below("asyncio", "ensure_future gather shield wrap_future"), "asyncio.Future"),
    "asyncio.run_coroutine_threadsafe": "concurrent.futures.Future",
    **each(below("asyncio.AbstractEventLoop", "call_soon call_soon_threadsafe"), "asyncio.Handle"),
    **each(below("asyncio.AbstractEventLoop", "call_later call_at"), "asyncio.TimerHandle"),
    "uvloop.new_event_loop": "uvloop.Loop",
    "anyio.create_task_group": "anyio.abc.TaskGroup",
    "anyio.from_thread.start_blocking_portal": "anyio.from_thread.BlockingPortal",
    "trio.open_nursery": "trio.Nursery",
    **each(below("tornado.ioloop.IOLoop", "current instance"), "tornado.ioloop.IOLoop"),
}  # fmt: skip

# docs.python.org/3/library: functions.html#open, tempfile.html, socket.html, sqlite3.html, logging.html, glob.html, …
STANDARD = {
    **each(["builtins.open", "codecs.open", "gzip.open", "bz2.open", "lzma.open", "os.fdopen", "tokenize.open"],
           "io.IOBase"),
    **each(["pathlib.Path.open", "socket.socket.makefile", "zipfile.ZipFile.open", "tarfile.TarFile.extractfile"],
           "io.IOBase"),
    **each(below("tempfile", "NamedTemporaryFile TemporaryFile"), "io.IOBase"),
    **each(["logging.getLogger", "logging.Logger.getChild"], "logging.Logger"),
    **each(below("socket", "create_connection create_server socket.dup fromfd"), "socket.socket"),
    **each(below("ssl", "SSLContext.wrap_socket"), "ssl.SSLSocket"),
    **each(below("ssl", "create_default_context"), "ssl.SSLContext"),
    "sqlite3.connect": "sqlite3.Connection",
    **each(below("sqlite3.Connection", "cursor execute executemany executescript"), "sqlite3.Cursor"),
    "shelve.open": "shelve.DbfilenameShelf",
    "csv.writer": "csv.writer",
    **each(below("curses", "initscr newwin newpad window.subwin window.derwin window.subpad"), "curses.window"),
    "decimal.getcontext": "decimal.Context",
    "tarfile.open": "tarfile.TarFile",
    "urllib.request.urlopen": "http.client.HTTPResponse",
    "http.client.HTTPConnection.getresponse": "http.client.HTTPResponse",
    **each(below("pathlib.Path", "resolve absolute expanduser cwd home joinpath with_name with_suffix __truediv__"),
           "pathlib.Path"),
    "subprocess.run": "subprocess.CompletedProcess",
    "os.popen": "io.TextIOWrapper",
    **each(["os.listdir", "glob.glob", "shlex.split", "re.findall", "re.split", "heapq.nlargest", "heapq.nsmallest"],
           "builtins.list"),
    **each(below("builtins", "sorted dir list.copy str.split str.rsplit str.splitlines bytes.split"), "builtins.list"),
    **each(below("builtins", "vars globals locals dict.copy dict.fromkeys"), "builtins.dict"),
    **each(
        below("builtins.set", "copy union intersection difference symmetric_difference"),
        "builtins.set",
    ),
    **each(below("builtins", "repr ascii chr format input hex oct bin str.join str.format str.lower str.upper "
                             "str.strip str.replace bytes.decode bytearray.decode"), "builtins.str"),
    **each(below("builtins", "len id hash ord"), "builtins.int"),
    **each(below("builtins", "isinstance issubclass callable hasattr any all"), "builtins.bool"),
    "collections.defaultdict.copy": "collections.defaultdict",
    "collections.OrderedDict.copy": "collections.OrderedDict",
    "collections.Counter.copy": "collections.Counter",
    "collections.deque.copy": "collections.deque",
    **each(below("time", "time monotonic perf_counter process_time"), "builtins.float"),
    **each(below("os", "getpid getppid"), "builtins.int"),
    "os.getenv": "builtins.str",
    "json.dumps": "builtins.str",
    # What `with` gives, where it is not the object itself
    "tempfile.TemporaryDirectory.__enter__": "builtins.str",
    **each([f"threading.{kind}.__enter__" for kind in ("Lock", "RLock", "Condition", "Semaphore")], "builtins.bool"),
}  # fmt: skip

# requests.readthedocs.io/en/latest/api, urllib3.readthedocs.io, sqlalchemy, psycopg.org, redis.readthedocs.io, boto3
PACKAGES = {
    "requests.session": "requests.Session",
    **each(below("requests", "get post put delete patch head options request"), "requests.Response"),
    **each(below("requests.Session", "get post put delete patch head options request send"), "requests.Response"),
    **each(below("httpx", "get post put delete patch head options request"), "httpx.Response"),
    **each(below("httpx.Client", "get post put delete patch head options request send"), "httpx.Response"),
    **each(["boto3.client", "boto3.Session.client"], "botocore.client.BaseClient"),
    **each(["boto3.resource", "boto3.Session.resource"], "boto3.resources.base.ServiceResource"),
    # guide/resources.html: "subresources"; each is a resource of its own
    **each(
        below("boto3.resources.base.ServiceResource", "Bucket Object Table Queue Topic Instance Stack Role Cluster"),
        "boto3.resources.base.ServiceResource",
    ),
    "sqlalchemy.create_engine": "sqlalchemy.engine.Engine",
    **each(below("sqlalchemy.engine.Engine", "connect begin"), "sqlalchemy.engine.Connection"),
    "sqlalchemy.ext.asyncio.async_sessionmaker": "sqlalchemy.ext.asyncio.async_sessionmaker",
    "sqlalchemy.ext.asyncio.async_sessionmaker.__call__": "sqlalchemy.ext.asyncio.AsyncSession",
    "sqlalchemy.orm.sessionmaker": "sqlalchemy.orm.sessionmaker",
    "sqlalchemy.orm.sessionmaker.__call__": "sqlalchemy.orm.Session",
    **each(["psycopg.connect", "psycopg.Connection.connect"], "psycopg.Connection"),
    "psycopg.Connection.cursor": "psycopg.Cursor",
    "psycopg2.connect": "psycopg2.extensions.connection",
    "psycopg2.extensions.connection.cursor": "psycopg2.extensions.cursor",
    **each(["pymysql.connect", "pymysql.Connect"], "pymysql.connections.Connection"),
    "pymysql.connections.Connection.cursor": "pymysql.cursors.Cursor",
    **each(["redis.from_url", "redis.Redis.from_url"], "redis.Redis"),
    **each(["MySQLdb.connect", "MySQLdb.Connect"], "MySQLdb.connections.Connection"),
    "mysql.connector.connect": "mysql.connector.connection.MySQLConnection",
    "pyodbc.connect": "pyodbc.Connection",
    "pyodbc.Connection.cursor": "pyodbc.Cursor",
    "pika.BlockingConnection.channel": "pika.adapters.blocking_connection.BlockingChannel",
    **each(below("pandas", "read_csv read_parquet read_excel read_json read_sql concat"), "pandas.DataFrame"),
    "redis.Redis.lock": "redis.lock.Lock",
    "redis.asyncio.Redis.lock": "redis.asyncio.lock.Lock",
    "redis.Redis.pipeline": "redis.client.Pipeline",
    "redis.Redis.monitor": "redis.client.Monitor",
    "pymongo.MongoClient.start_session": "pymongo.client_session.ClientSession",
    "django.db.connection.cursor": "django.db.backends.utils.CursorWrapper",
    "sqlite3.Connection.blobopen": "sqlite3.Blob",
    "redis.Redis.pubsub": "redis.client.PubSub",
    "redis.client.PubSub.run_in_thread": "redis.client.PubSubWorkerThread",
    **{f"readerwriterlock.rwlock.RWLock{kind}.{lock}": "readerwriterlock.rwlock.Lockable"
       for kind in ("Fair", "Read", "Write") for lock in ("gen_rlock", "gen_wlock")},
    **each(["loguru.logger.bind", "structlog.get_logger"], "logging.Logger"),
}  # fmt: skip
RETURNS = CONCURRENCY | ASYNCIO | STANDARD | PACKAGES

# The classes' pages in docs.python.org/3/library; Lib/queue.py for the locks of a Queue.
ATTRIBUTES = {
    **each(below("sys", "stdout stderr stdin __stdout__ __stderr__ __stdin__"), "io.TextIOWrapper"),
    **each(below("sys", "modules path_importer_cache"), "builtins.dict"),
    **each(below("sys", "path argv meta_path path_hooks"), "builtins.list"),
    "os.environ": "os._Environ",
    "os.environb": "os._Environ",
    "warnings.filters": "builtins.list",
    "logging.root": "logging.RootLogger",
    "logging.Logger.handlers": "builtins.list",
    "logging.Logger.parent": "logging.Logger",
    "logging.LoggerAdapter.logger": "logging.Logger",
    **each(below("http.server.BaseHTTPRequestHandler", "rfile wfile"), "io.BufferedIOBase"),
    **each(below("socketserver.StreamRequestHandler", "rfile wfile"), "io.BufferedIOBase"),
    "http.server.BaseHTTPRequestHandler.server": "http.server.HTTPServer",
    "http.server.BaseHTTPRequestHandler.headers": "email.message.Message",
    "socketserver.BaseRequestHandler.server": "socketserver.BaseServer",
    "socketserver.StreamRequestHandler.connection": "socket.socket",
    "socketserver.BaseServer.socket": "socket.socket",
    **each(below("subprocess.Popen", "stdin stdout stderr"), "io.IOBase"),
    "queue.Queue.mutex": "threading.Lock",
    # docs.aiohttp.org/en/stable/web_reference.html#aiohttp.web.Application.router
    "aiohttp.web.Application.router": "aiohttp.web.UrlDispatcher",
    **each(below("queue.Queue", "not_empty not_full all_tasks_done"), "threading.Condition"),
    "queue.Queue.queue": "collections.deque",
    "collections.ChainMap.maps": "builtins.list",
    "collections.UserDict.data": "builtins.dict",
    "collections.UserList.data": "builtins.list",
    "multiprocessing.shared_memory.SharedMemory.buf": "builtins.memoryview",
    "requests.Session.headers": "requests.structures.CaseInsensitiveDict",
    "loguru.logger": "logging.Logger",
}

# What gives nothing to call: None, a number, a text, an answer.
NOTHING = frozenset(
    {
        *below("builtins", "print input len sum max min open sorted list dict set tuple str int float bool range"),
        *below("time", "sleep time monotonic"),
        *below("os", "system remove rename makedirs kill listdir walk popen"),
        *below("subprocess", "run call check_call check_output getoutput getstatusoutput"),
        *below("shutil", "copy copy2 copyfile copytree move rmtree make_archive unpack_archive"),
        *below("urllib.request", "urlopen urlretrieve"),
        *below("requests", "get post put delete patch head options request"),
        *below("webbrowser", "open open_new open_new_tab"),
        *below("threading", "Thread.start Thread.join Thread.run Event.set Event.wait"),
        *below("multiprocessing", "Process.start Process.join Process.run"),
        *below("socketserver.BaseServer", "serve_forever handle_request shutdown"),
        *below("socketserver.TCPServer", "serve_forever handle_request shutdown"),
        *below("asyncio", "AbstractEventLoop.run_forever AbstractEventLoop.stop AbstractEventLoop.close"),
    }
)
