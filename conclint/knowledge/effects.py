"""What calls do besides computing: input and output, waiting, writing what must not be torn."""

from __future__ import annotations

from conclint.knowledge.names import below

_METHODS = "get post put delete patch head options request"
_PATH_READS = (
    "stat lstat exists is_file is_dir is_symlink is_mount iterdir glob rglob resolve samefile owner group readlink"
)
_PATH_WRITES = (
    "open read_text read_bytes write_text write_bytes mkdir rmdir unlink touch rename replace chmod lchmod symlink_to "
    "hardlink_to"
)

# docs.python.org/3/library/functions.html, io.html, os.html, shutil.html, pathlib.html, tempfile.html, glob.html
FILES = frozenset(
    {
        *below("builtins", "open print input __import__ breakpoint"),
        *below("io", "IOBase. RawIOBase. BufferedIOBase. FileIO. BufferedReader. BufferedWriter. BufferedRandom."),
        *below("io", "TextIOBase. TextIOWrapper. open_code"),
        *below("os", "open close read write pread pwrite readv writev sendfile fsync fdatasync truncate ftruncate"),
        *below("os", "stat lstat fstat access listdir scandir walk fwalk mkdir makedirs rmdir removedirs unlink"),
        *below("os", "rename renames replace remove link symlink readlink chmod chown utime mkfifo pipe statvfs chdir"),
        *below("os", "system popen spawnl spawnle spawnlp spawnv spawnve spawnvp execv execve execvp execl fork"),
        *below("os", "posix_spawn waitpid wait wait3 wait4 kill killpg urandom sync fdopen lseek sched_yield"),
        *below("os.path", "exists lexists isfile isdir islink ismount getsize getmtime getatime realpath samefile"),
        "shutil.",
        *below("pathlib.Path", f"{_PATH_READS} {_PATH_WRITES}"),
        *below("tempfile", "mkstemp mkdtemp mktemp NamedTemporaryFile TemporaryFile TemporaryDirectory"),
        *below("glob", "glob iglob"),
        *below("fileinput", "input FileInput"),
        *below("linecache", "getline getlines checkcache updatecache"),
        *below("codecs", "open"),
        *below("tokenize", "open"),
        *below("filecmp", "cmp cmpfiles dircmp"),
        *below("importlib", "import_module reload"),
        *below("runpy", "run_module run_path"),
        *below("compileall", "compile_dir compile_file compile_path"),
        *below("sys.stdout", "write flush writelines"),
        *below("sys.stderr", "write flush writelines"),
        *below("sys.stdin", "read readline readlines"),
        *below("pprint", "pprint pp"),
        *below("traceback", "print_exc print_exception print_stack print_tb print_last"),
        *below("getpass", "getpass"),
        *below("fcntl", "fcntl flock lockf ioctl"),
        *below("mmap.mmap", "flush read write readline"),
    }
)

# docs.python.org/3/library: Data Persistence; Data Compression and Archiving; File Formats
STORAGE = frozenset(
    {
        "sqlite3.connect", "sqlite3.Connection.", "sqlite3.Cursor.", "sqlite3.Blob.",
        "shelve.", "dbm.",
        "zipfile.", "tarfile.",
        *below("gzip", "open GzipFile"), *below("bz2", "open BZ2File"), *below("lzma", "open LZMAFile"),
        *below("json", "dump load"), *below("pickle", "dump load"), *below("marshal", "dump load"),
        *below("plistlib", "dump load"), *below("tomllib", "load"),
        *below("configparser.RawConfigParser", "read write"),
        "xml.etree.ElementTree.parse", "xml.etree.ElementTree.ElementTree.write",
        *below("netrc", "netrc"), *below("mailbox", "Mailbox Maildir mbox"),
        *below("logging", "debug info warning error critical exception log"),
        *below("logging.Logger", "debug info warning error critical exception log handle"),
        *below("logging.LoggerAdapter", "debug info warning error critical exception log"),
        *below("logging.Handler", "emit handle flush"),
        *below("warnings", "warn warn_explicit"),
        "syslog.",
    }
)  # fmt: skip

# docs.python.org/3/library: Networking and Interprocess Communication; Internet Protocols and Support
NETWORK = frozenset(
    {
        "socket.create_connection", "socket.create_server", "socket.socketpair",
        *below("socket", "getaddrinfo gethostbyname gethostbyname_ex gethostbyaddr getfqdn getnameinfo"),
        *below("socket.socket", "accept bind connect connect_ex listen recv recv_into recvfrom recvfrom_into recvmsg "
                                "recvmsg_into send sendall sendfile sendmsg sendto shutdown close makefile"),
        "ssl.get_server_certificate", "ssl.SSLContext.wrap_socket", "ssl.SSLSocket.",
        *below("select", "select poll epoll kqueue devpoll"),
        *below("select.epoll", "poll"),
        *below("select.poll", "poll"),
        *below("selectors", "DefaultSelector.select SelectSelector.select PollSelector.select EpollSelector.select"),
        *below("selectors", "BaseSelector.select"),
        "urllib.request.", "http.client.HTTPConnection.", "http.client.HTTPSConnection.", "http.client.HTTPResponse.",
        "ftplib.", "smtplib.", "poplib.", "imaplib.", "telnetlib.", "nntplib.",
        "xmlrpc.client.ServerProxy.", "socketserver.BaseServer.", "socketserver.TCPServer.",
        *below("subprocess", "run call check_call check_output getoutput getstatusoutput Popen Popen."),
        *below("webbrowser", "open open_new open_new_tab"),
        *below("multiprocessing.connection", "Client Listener wait Connection."),
    }
)  # fmt: skip

# The packages' API pages: each of these talks to a server.
PACKAGES = frozenset(
    {
        # requests.readthedocs.io/en/latest/api
        *below("requests", _METHODS), *below("requests.Session", f"{_METHODS} send"),
        *below("requests.Response", "iter_content iter_lines"),
        # www.python-httpx.org/api
        *below("httpx", f"{_METHODS} stream"), *below("httpx.Client", f"{_METHODS} stream send"),
        *below("httpx.AsyncClient", f"{_METHODS} stream send"),
        # urllib3.readthedocs.io, docs.aiohttp.org
        "urllib3.request", *below("urllib3.PoolManager", "request urlopen"),
        *below("urllib3.HTTPConnectionPool", "request urlopen"),
        *below("aiohttp.ClientSession", f"{_METHODS} ws_connect"),
        # boto3.amazonaws.com, docs.sqlalchemy.org
        "botocore.client.BaseClient.", "boto3.resource", "sqlalchemy.engine.Connection.", "sqlalchemy.engine.Engine.",
        "sqlalchemy.orm.Session.",
        # www.psycopg.org, pymysql.readthedocs.io, mysql-connector, asyncpg
        "psycopg.connect", "psycopg.Connection.", "psycopg.Cursor.", "psycopg2.connect",
        "psycopg2.extensions.connection.", "psycopg2.extensions.cursor.", "pymysql.connect",
        "pymysql.connections.Connection.", "pymysql.cursors.Cursor.", "mysql.connector.connect", "asyncpg.connect",
        # redis.readthedocs.io, pymongo.readthedocs.io, elasticsearch-py.readthedocs.io
        "redis.Redis.", "redis.asyncio.Redis.", "redis.client.Pipeline.", "redis.client.PubSub.",
        "pymongo.MongoClient.", "pymongo.collection.Collection.", "pymongo.database.Database.",
        "pymongo.cursor.Cursor.",
        # docs.paramiko.org, selenium.dev, kafka-python.readthedocs.io, pika.readthedocs.io
        "paramiko.SSHClient.", "paramiko.SFTPClient.", "paramiko.Transport.", "paramiko.Channel.",
        "selenium.webdriver.", "kafka.KafkaProducer.", "kafka.KafkaConsumer.", "pika.BlockingConnection.",
        # docs.djangoproject.com/topics/db
        "django.db.connection.", "django.db.models.query.QuerySet.", "django.core.mail.",
        # loguru.readthedocs.io, tqdm.github.io, click.palletsprojects.com
        "loguru.logger.", *below("tqdm.tqdm", "write"), *below("click", "echo secho prompt confirm"),
    }
)  # fmt: skip

# What has an asynchronous twin: www.python-httpx.org/async, docs.aiohttp.org
CLIENTS = frozenset(
    {
        *below("requests", _METHODS), *below("requests.Session", f"{_METHODS} send"),
        *below("httpx", f"{_METHODS} stream"), *below("httpx.Client", f"{_METHODS} stream send"),
        "urllib3.request", *below("urllib3.PoolManager", "request urlopen"), "urllib.request.urlopen",
        *below("http.client", "HTTPConnection. HTTPSConnection."),
    }
)  # fmt: skip

IO = FILES | STORAGE | NETWORK | PACKAGES

# docs.python.org/3/library: threading, queue, multiprocessing, concurrent.futures, time, signal, subprocess, …
WAITS = frozenset(
    {
        "time.sleep",
        *below("threading", "Lock.acquire RLock.acquire Semaphore.acquire Condition.acquire Condition.wait"),
        *below("threading", "Condition.wait_for Event.wait Barrier.wait Thread.join"),
        *below("queue", "Queue.get Queue.put Queue.join SimpleQueue.get"),
        *below("multiprocessing", "Lock.acquire RLock.acquire Semaphore.acquire Condition.acquire Condition.wait"),
        *below("multiprocessing", "Condition.wait_for Event.wait Barrier.wait Process.join Queue.get Queue.put"),
        *below("multiprocessing", "Queue.join_thread SimpleQueue.get SimpleQueue.put JoinableQueue.join"),
        *below("multiprocessing.pool.Pool", "apply map starmap join"),
        *below("multiprocessing.pool.ThreadPool", "apply map starmap join"),
        *below("multiprocessing.pool.AsyncResult", "get wait"),
        *below("multiprocessing.connection", "wait Connection.recv Connection.recv_bytes Connection.poll"),
        *below("concurrent.futures", "wait as_completed Future.result Future.exception Executor.shutdown Executor.map"),
        *below("asyncio", "run AbstractEventLoop.run_until_complete AbstractEventLoop.run_forever Runner.run"),
        *below("signal", "pause sigwait sigwaitinfo sigtimedwait"),
        *below("subprocess", "run call check_call check_output getoutput getstatusoutput"),
        *below("subprocess.Popen", "wait communicate"),
        *below("os", "system wait waitpid wait3 wait4"),
        *below("builtins", "input"),
        "getpass.getpass",
        *below("select", "select epoll.poll poll.poll"),
        *below("selectors", "BaseSelector.select DefaultSelector.select"),
        *below("fcntl", "flock lockf"),
        "sched.scheduler.run",
        *below("socketserver.BaseServer", "serve_forever handle_request"),
        *below("socketserver.TCPServer", "serve_forever handle_request"),
    }
)

# docs.python.org/3/library: threading, queue, multiprocessing: what another thread or process of the program ends
MEETINGS = frozenset(
    {
        *below("threading", "Condition.wait Condition.wait_for Event.wait Barrier.wait"),
        *below("multiprocessing", "Condition.wait Condition.wait_for Event.wait Barrier.wait"),
        *below("queue", "Queue.get Queue.join SimpleQueue.get"),
        *below("multiprocessing", "Queue.get SimpleQueue.get JoinableQueue.join"),
        *below("multiprocessing.connection", "wait Connection.recv Connection.recv_bytes Connection.poll"),
    }
)

# docs.python.org/3/library/asyncio-dev.html#running-blocking-code: for as long as the other side takes
SLOW_IO = frozenset(
    {
        *below("socket", "create_connection getaddrinfo gethostbyname gethostbyname_ex gethostbyaddr getfqdn"),
        *below("socket.socket", "accept connect recv recv_into recvfrom recvfrom_into recvmsg send sendall sendto"),
        "ssl.get_server_certificate",
        *below("urllib.request", "urlopen urlretrieve"),
        *below("http.client.HTTPConnection", "connect request getresponse endheaders send"),
        *below("http.client.HTTPResponse", "read"),
        *below("ftplib", "FTP FTP."), *below("smtplib", "SMTP SMTP_SSL SMTP."), "poplib.POP3.", "imaplib.IMAP4.",
        *below("shutil", "copy copy2 copyfile copytree move rmtree make_archive unpack_archive"),
        *below("sqlite3.Connection", "execute executemany executescript commit backup"),
        *below("sqlite3.Cursor", "execute executemany executescript fetchone fetchall fetchmany"),
        *below("requests", _METHODS), *below("requests.Session", f"{_METHODS} send"),
        *below("httpx", f"{_METHODS} stream"), *below("httpx.Client", f"{_METHODS} stream send"),
        "urllib3.request", *below("urllib3.PoolManager", "request urlopen"),
        *below("urllib3.HTTPConnectionPool", "request urlopen"),
        "botocore.client.BaseClient.", "sqlalchemy.engine.Connection.execute",
        *below("sqlalchemy.orm.Session", "execute commit flush query scalars scalar get"),
        "psycopg.connect", *below("psycopg.Connection", "execute commit"),
        *below("psycopg.Cursor", "execute executemany"),
        "psycopg2.connect", *below("psycopg2.extensions.cursor", "execute executemany fetchone fetchall"),
        "pymysql.connect", *below("pymysql.cursors.Cursor", "execute executemany"),
        "redis.Redis.", "pymongo.collection.Collection.", "redis.client.PubSub.listen",
        *below("paramiko.SSHClient", "connect exec_command"), *below("kafka.KafkaConsumer", "poll"),
        "redis.lock.Lock.acquire", "filelock.BaseFileLock.acquire", "fasteners.InterProcessLock.acquire",
        "portalocker.Lock.acquire",
    }
)  # fmt: skip

BLOCKING = WAITS | SLOW_IO

# What an abrupt end of the process leaves half done: a file half written, a transaction open.
# docs.python.org/3/library/threading.html#thread-objects: daemon threads "are abruptly stopped at shutdown"
DURABLE = frozenset(
    {
        *below("io", "IOBase.write IOBase.writelines TextIOBase.write RawIOBase.write BufferedIOBase.write"),
        *below("io", "TextIOWrapper.write TextIOWrapper.writelines BufferedWriter.write FileIO.write"),
        *below("os", "write pwrite writev rename renames replace truncate ftruncate sendfile fsync"),
        *below("pathlib.Path", "write_text write_bytes rename replace"),
        *below("shutil", "copy copy2 copyfile copyfileobj copytree move make_archive unpack_archive"),
        *below("json", "dump"), *below("pickle", "dump"), *below("marshal", "dump"), *below("plistlib", "dump"),
        *below("csv", "writer DictWriter DictWriter.writerow DictWriter.writerows"),
        *below("configparser.RawConfigParser", "write"), "xml.etree.ElementTree.ElementTree.write",
        *below("zipfile.ZipFile", "write writestr"), *below("tarfile.TarFile", "add addfile extract extractall"),
        *below("sqlite3.Connection", "execute executemany executescript commit backup"),
        *below("sqlite3.Cursor", "execute executemany executescript"),
        *below("shelve", "open"), *below("dbm", "open"),
        *below("smtplib.SMTP", "send_message sendmail"),
        # The databases' API pages: statements and commits
        *below("sqlalchemy.engine.Connection", "execute commit"), "sqlalchemy.engine.Engine.begin",
        *below("sqlalchemy.orm.Session", "commit flush"),
        *below("psycopg.Connection", "execute commit"), *below("psycopg.Cursor", "execute executemany copy"),
        "psycopg2.extensions.connection.commit", *below("psycopg2.extensions.cursor", "execute executemany"),
        "pymysql.connections.Connection.commit", *below("pymysql.cursors.Cursor", "execute executemany"),
        *below("pymongo.collection.Collection", "insert_one insert_many update_one update_many replace_one bulk_write"),
        # numpy.org/doc/stable/reference/routines.io.html, pandas.pydata.org/docs/reference/io.html
        *below("numpy", "save savez savez_compressed savetxt"),
        *below("pandas.DataFrame", "to_csv to_parquet to_pickle to_excel to_json to_hdf to_sql"),
        "torch.save", "joblib.dump", *below("yaml", "dump safe_dump"),
        # docs.python.org/3/library/urllib.request.html#urllib.request.urlretrieve
        "urllib.request.urlretrieve",
        # docs.python.org/3/library/multiprocessing.html#synchronization-primitives: held for ever by who was killed
        *below("multiprocessing", "Lock.acquire RLock.acquire Lock.__enter__ RLock.__enter__"),
    }
)  # fmt: skip

# Calls that tell people something: cheap beside a computation, unless each step of a loop makes one.
# docs.python.org/3/library/logging.html, warnings.html; tqdm.github.io
TALK = frozenset(
    {
        *below("builtins", "print"), *below("sys.stdout", "write flush"), *below("sys.stderr", "write flush"),
        *below("logging", "debug info warning error critical exception log getLogger"),
        *below("logging.Logger", "debug info warning error critical exception log isEnabledFor"),
        *below("logging.LoggerAdapter", "debug info warning error critical exception log"),
        *below("warnings", "warn"),
        *below("tqdm", "tqdm trange auto.tqdm tqdm.update"),
    }
)  # fmt: skip
