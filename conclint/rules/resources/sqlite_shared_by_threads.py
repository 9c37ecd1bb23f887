"""A connection to SQLite is used by several threads, with no lock around it.

By default a connection serves only the thread that made it: in any other, `sqlite3` raises ProgrammingError.  With
`check_same_thread=False` it lets all of them in, and "write operations may need to be serialized by the user to avoid
data corruption": a transaction belongs to the connection, so one thread commits or rolls back what another has half
written, and cursors read each other's rows.  Connect in each thread (in the worker, or into a `threading.local`), or
hold one lock from the first statement of a transaction to its commit.

Not reported: uses under one lock, statements that only read, connections made by the worker or for the request, a file
that looks at `sqlite3.threadsafety`.  Of a connection with `check_same_thread=False` that an object or module keeps,
and for which no thread is seen, those who select CON506 hear that there is no lock: the argument says that there may be
threads, and not that they come at once.

https://docs.python.org/3/library/sqlite3.html#sqlite3.connect
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.knowledge.kinds import Context, Unshared
from conclint.model import Finding
from conclint.program.evidence import Evidence
from conclint.program.triggers import Triggers
from conclint.rules.rule import Bad, Good, Rule


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for one in evidence.connections.strangers():
        yield Finding(
            one.used.access.place,
            f"`{one.used.access.text}` was made in another thread, so sqlite3 raises ProgrammingError here; connect in "
            "the thread that uses it",
            notes=one.notes,
        )
    for shared in evidence.connections.shared():
        yield Finding(
            shared.used.access.place,
            f"several threads use `{shared.used.access.text}`, and end each other's transactions; connect in each "
            "thread, or hold one lock around each transaction",
            notes=shared.notes,
        )
    for place in evidence.connections.unlocked():
        yield Finding(
            place,
            "`check_same_thread=False` lets several threads use this connection, and no lock keeps their transactions "
            "apart; add one, or connect in each thread",
            when_asked=True,
        )


RULE = Rule(
    code="CON506",
    name="sqlite-shared-by-threads",
    triggers=Triggers(objects=frozenset({Unshared.SQLITE}), contexts=frozenset({Context.THREAD})),
    conclude=conclude,
    examples=(
        Bad("""
            import sqlite3
            from concurrent.futures import ThreadPoolExecutor

            SQL = "INSERT INTO log VALUES (?)"

            def main(rows):
                db = sqlite3.connect("x.db", check_same_thread=False)
                with ThreadPoolExecutor() as pool:
                    list(pool.map(lambda row: db.execute(SQL, row), rows))  # expect: CON506
                    list(pool.map(db.execute, rows))  # expect: CON506
            """),
        Bad("""
            import sqlite3

            from flask import Flask

            app = Flask(__name__)
            connection = sqlite3.connect("users.db")
            cursor = connection.cursor()

            @app.route("/users")
            def users():
                return str(connection.execute("SELECT name FROM users").fetchall())  # expect: CON506

            @app.route("/add/<name>")
            def add(name):
                cursor.execute("INSERT INTO users VALUES (?)", (name,))  # expect: CON506
                return name
            """),
        Bad("""
            import sqlite3 as sql
            import threading

            class Recorder(threading.Thread):
                def __init__(self, path):
                    super().__init__()
                    self.db = sql.connect(path)

                def run(self):
                    self._write("started")

                def _write(self, text):
                    self.db.execute("INSERT INTO log VALUES (?)", (text,))  # expect: CON506
                    self.db.commit()

            class Store:
                def __init__(self, path):
                    self._db = sql.connect(path, check_same_thread=False)  # expect: CON506

                def put(self, key, value):
                    self._db.execute("INSERT INTO items VALUES (?, ?)", (key, value))
                    self._db.commit()
            """),
        Good("""
            import sqlite3
            import threading
            from concurrent.futures import ThreadPoolExecutor
            from contextlib import closing

            local = threading.local()

            def job(row):
                with closing(sqlite3.connect("x.db")) as db:
                    db.execute("INSERT INTO log VALUES (?)", row)

            def save(row):
                db = sqlite3.connect("x.db")
                write(db, row)
                db.close()

            def write(db, row):
                db.execute("INSERT INTO log VALUES (?)", row)
                db.commit()

            def cached(row):
                if not hasattr(local, "db"):
                    local.db = sqlite3.connect("x.db")
                local.db.execute("INSERT INTO log VALUES (?)", row)

            def main(rows):
                with ThreadPoolExecutor() as pool:
                    list(pool.map(job, rows))
                    list(pool.map(save, rows))
                    list(pool.map(cached, rows))
            """),
        Good("""
            import sqlite3
            import threading
            from concurrent.futures import ThreadPoolExecutor

            class Store:
                def __init__(self, path):
                    self._db = sqlite3.connect(path, check_same_thread=False)
                    self._lock = threading.Lock()

                def put(self, key):
                    with self._lock:
                        self._db.execute("INSERT INTO items VALUES (?)", (key,))
                        self._db.commit()

            def main(keys):
                store = Store("x.db")
                with ThreadPoolExecutor() as pool:
                    list(pool.map(store.put, keys))
            """),
        Good("""
            import asyncio
            import sqlite3

            from filelock import FileLock

            class Async:
                def __init__(self, path):
                    self._db = sqlite3.connect(path, check_same_thread=False)
                    self._turn = asyncio.Lock()

                async def put(self, key):
                    async with self._turn:
                        await asyncio.to_thread(self._db.execute, "INSERT INTO items VALUES (?)", (key,))

            class Filed:
                def __init__(self, path):
                    self._db = sqlite3.connect(path, check_same_thread=False)
                    self._file_lock = FileLock(path + ".lock")

                def put(self, key):
                    with self._file_lock:
                        self._db.execute("INSERT INTO items VALUES (?)", (key,))
            """),
        Good("""
            import sqlite3

            from fastapi import Depends, FastAPI

            app = FastAPI()

            def connection():
                db = sqlite3.connect("x.db", check_same_thread=False)  # one for each request
                try:
                    yield db
                finally:
                    db.close()

            @app.get("/items")
            def items(db: sqlite3.Connection = Depends(connection)):
                db.execute("INSERT INTO log VALUES (1)")
                return db.execute("SELECT * FROM items").fetchall()
            """),
        Good("""
            import sqlite3
            from concurrent.futures import ThreadPoolExecutor

            if sqlite3.threadsafety == 3:
                database = sqlite3.connect("x.db", check_same_thread=False)

            read_only = sqlite3.connect("file:y.db?mode=ro", uri=True, check_same_thread=False)

            def put(row):
                database.execute("INSERT INTO items VALUES (?)", row)

            def look(key):
                return read_only.execute("SELECT * FROM items WHERE key = ?", (key,)).fetchone()

            def main(rows):
                with ThreadPoolExecutor() as pool:
                    list(pool.map(put, rows))
                    list(pool.map(look, rows))
            """),
        Good("""
            import sqlite3
            import threading
            from concurrent.futures import ThreadPoolExecutor

            class Writer:
                \"\"\"Made here, used by its one thread.\"\"\"

                def __init__(self, path):
                    self._db = sqlite3.connect(path, check_same_thread=False)

                def start(self):
                    threading.Thread(target=self._work, daemon=True).start()

                def _work(self):
                    self._db.execute("DELETE FROM items")
                    self._db.commit()

            def main(rows):
                db = sqlite3.connect("x.db")
                with ThreadPoolExecutor() as pool:
                    results = list(pool.map(len, rows))
                db.executemany("INSERT INTO items VALUES (?)", results)
                Writer("y.db").start()
            """),
    ),
)
