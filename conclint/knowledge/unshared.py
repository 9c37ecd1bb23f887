"""Types whose objects one thread at a time may use, and what tells so."""

from __future__ import annotations

from conclint.knowledge.kinds import Unshared
from conclint.knowledge.names import below, each, members

# docs.python.org/3/library/sqlite3.html#sqlite3.connect, check_same_thread: "write operations may need to be serialized
# by the user to avoid data corruption"
SQLITE = each(below("sqlite3", "Connection Cursor Blob"), Unshared.SQLITE)

CLIENTS = each(
    [
        # github.com/psf/requests/issues/2766: thread safety of a Session is not promised
        "requests.Session",
        # docs.python.org/3/library/http.client.html: one request at a time, in order
        *below("http.client", "HTTPConnection HTTPSConnection"),
        # docs.python.org/3/library: ftplib.html, smtplib.html, imaplib.html, poplib.html: command, then reply
        "ftplib.FTP", "ftplib.FTP_TLS", "smtplib.SMTP", "smtplib.SMTP_SSL", "imaplib.IMAP4", "imaplib.IMAP4_SSL",
        "poplib.POP3", "poplib.POP3_SSL", "telnetlib.Telnet",
        # invisible-island.net/ncurses/man/curs_threads.3x.html: "not thread-safe by default"
        "curses.window",
        # docs.python.org/3/library/xmlrpc.client.html: one HTTP connection per proxy
        "xmlrpc.client.ServerProxy",
        # peps.python.org/pep-0249/#threadsafety: 1, "may share the module, but not connections"
        "pymysql.connections.Connection", *below("pymysql.cursors", "Cursor DictCursor SSCursor SSDictCursor"),
        "MySQLdb.connections.Connection", *below("MySQLdb.cursors", "Cursor DictCursor SSCursor SSDictCursor"),
        "mysql.connector.connection.MySQLConnection", "pyodbc.Connection", "pyodbc.Cursor",
        # psycopg.org/docs/usage.html#thread-and-process-safety: cursors of one connection go one after the other
        "psycopg.Cursor", "psycopg.ClientCursor", "psycopg.ServerCursor", "psycopg2.extensions.cursor",
        *below("psycopg2.extras", "DictCursor RealDictCursor NamedTupleCursor"),
        # redis.readthedocs.io/en/stable/advanced_features.html: not to be passed between threads
        "redis.client.Pipeline", "redis.client.PubSub", "redis.client.Monitor",
        # pymongo.readthedocs.io/en/stable/api/pymongo/client_session.html: "not thread-safe or fork-safe"
        "pymongo.client_session.ClientSession",
        # pypi.org/project/kafka-python: "The consumer ... is not thread-safe"
        "kafka.KafkaConsumer",
        # pika.readthedocs.io/en/stable/faq.html: "Pika does not have any notion of threading in the code"
        *below("pika", "BlockingConnection adapters.blocking_connection.BlockingChannel"),
    ],
    Unshared.CLIENT,
)  # fmt: skip

# docs.sqlalchemy.org/en/20/orm/session_basics.html#is-the-session-thread-safe: not for "concurrent threads";
# docs.sqlalchemy.org/en/20/core/connections.html: "The Connection object is not thread-safe"
ORM = each(
    [
        "sqlalchemy.orm.Session",
        "sqlalchemy.ext.asyncio.AsyncSession",
        "sqlalchemy.engine.Connection",
        "sqlalchemy.ext.asyncio.AsyncConnection",
        # sqlmodel.tiangolo.com/tutorial/insert: SQLAlchemy's, with types
        "sqlmodel.Session",
        # docs.djangoproject.com/en/stable/ref/databases, "thread-safety": connections are not shared between threads,
        # nor are their cursors; `django.db.connection` itself is each thread's own
        "django.db.backends.utils.CursorWrapper",
        "django.db.backends.base.base.BaseDatabaseWrapper",
    ],
    Unshared.ORM,
)

# boto3.amazonaws.com/v1/documentation/api/latest/guide/session.html, guide/resources.html: "not thread safe"
CLOUD = each(["boto3.Session", "boto3.resources.base.ServiceResource"], Unshared.CLOUD)

# docs.python.org/3/library/io.html#multi-threading: buffered and text streams keep a position; csv.html#writer-objects
WRITERS = each(
    ["io.IOBase", "io.TextIOWrapper", *below("csv", "writer DictWriter"), "tarfile.TarFile"], Unshared.WRITER
)

# numpy.org/doc/stable/reference/thread_safety.html: "shared mutation is not safe";
# pandas.pydata.org/docs/user_guide/gotchas.html#thread-safety: "pandas is not 100% thread safe"
ARRAYS = each(["pandas.DataFrame", "pandas.Series"], Unshared.ARRAY)

# docs.python.org/3/library/tkinter.html#threading-model; doc.qt.io/qt-6/thread-basics.html: widgets "don't work in
# secondary threads"
WIDGETS = each(
    ["tkinter.", "tkinter.ttk.", *(f"{binding}.QtWidgets." for binding in ("PySide2", "PySide6", "PyQt5", "PyQt6"))],
    Unshared.WIDGET,
)

# docs.python.org/3/reference/expressions.html#generator-iterator-methods: "If the generator is already executing ..."
# docs.python.org/3/howto/free-threading-python.html#iterators: "generally not thread-safe"
GENERATOR = "types.GeneratorType"
GENERATORS = {GENERATOR: Unshared.GENERATOR}

THREAD_UNSAFE = SQLITE | CLIENTS | ORM | CLOUD | WRITERS | ARRAYS | GENERATORS | WIDGETS

# The methods that count, where it is not all of them.
WRITING = members("write writelines writerow writerows seek truncate add addfile")

# What takes an item of a generator.
TAKING = frozenset({"next"})

# What writes to a file that it is given, in several pieces: by which keyword and position (docs.python.org/3/library:
# functions.html#print, json.html#json.dump, pickle.html#pickle.dump, shutil.html#shutil.copyfileobj)
GIVEN: dict[str, tuple[str, int | None]] = {
    "builtins.print": ("file", None),
    "json.dump": ("fp", 1),
    "pickle.dump": ("file", 1),
    "shutil.copyfileobj": ("fdst", 1),
}

# What a thread may call to stop another one's use, or to hand work to the thread that owns the object: sqlite3.html
# "interrupt", tkinter's `after` and events.
HARMLESS = members("close interrupt quit after after_idle after_cancel event_generate mainloop exec exec_ fileno")
