"""A SQLAlchemy session is used by several threads.

A `Session` is one conversation with the database over one connection: while one thread flushes, another one's query
finds it in the middle of that and raises InvalidRequestError, or one thread commits what the other has not finished.
Make a session in each worker (`with Session(engine) as session:`); the engine is what they may share.  A
`scoped_session` gives each thread its own.

Not reported: `scoped_session`, sessions that a worker makes for itself or keeps in a `threading.local`, uses under one
lock.

https://docs.sqlalchemy.org/en/20/orm/session_basics.html#is-the-session-thread-safe-is-asyncsession-safe-to-share-in-concurrent-tasks
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.knowledge.kinds import Unshared
from conclint.model import Finding
from conclint.program.evidence import Evidence
from conclint.program.triggers import uses
from conclint.rules.rule import Bad, Good, Rule


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for shared in evidence.shared(Unshared.ORM):
        yield Finding(
            shared.used.access.place,
            f"several threads use `{shared.used.access.text}`, and a `{shared.used.type}` is one conversation with the "
            "database; make one in each thread",
            notes=shared.notes,
        )


RULE = Rule(
    code="CON519",
    name="orm-session-shared-by-threads",
    triggers=uses(Unshared.ORM),
    conclude=conclude,
    examples=(
        Bad("""
            from concurrent.futures import ThreadPoolExecutor

            from sqlalchemy.orm import Session

            from models import User, engine

            session = Session(engine)

            def main(ids):
                with ThreadPoolExecutor() as pool:
                    return list(pool.map(lambda id: session.get(User, id), ids))  # expect: CON519
            """),
        Bad("""
            import threading

            from sqlalchemy import create_engine
            from sqlalchemy.orm import sessionmaker

            engine = create_engine("sqlite://")
            make_session = sessionmaker(bind=engine)

            class Importer:
                def __init__(self):
                    self.session = make_session()

                def store(self, row):
                    self.session.add(row)  # expect: CON519
                    self.session.commit()

                def all(self, rows):
                    for row in rows:
                        threading.Thread(target=self.store, args=(row,)).start()
            """),
        Bad("""
            import threading

            import sqlalchemy as sa

            def count(connection, table):
                return connection.execute(sa.select(table)).all()  # expect: CON519

            def main(tables):
                engine = sa.create_engine("sqlite://")
                with engine.connect() as connection:
                    workers = [threading.Thread(target=count, args=(connection, one)) for one in tables]
                    for worker in workers:
                        worker.start()
                    for worker in workers:
                        worker.join()
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            from sqlalchemy import create_engine
            from sqlalchemy.orm import Session, scoped_session, sessionmaker

            from models import User

            engine = create_engine("sqlite://")
            session = scoped_session(sessionmaker(bind=engine))

            def job(id):
                with Session(engine) as own:
                    return own.get(User, id)

            def other(id):
                return session.get(User, id)

            def main(ids):
                with ThreadPoolExecutor() as pool:
                    list(pool.map(job, ids))
                    list(pool.map(other, ids))
            """),
        Good("""
            import threading

            from sqlalchemy.orm import Session

            class Importer:
                def __init__(self, engine):
                    self.session = Session(engine)
                    self.lock = threading.Lock()

                def store(self, row):
                    with self.lock:
                        self.session.add(row)
                        self.session.commit()

                def all(self, rows):
                    for row in rows:
                        threading.Thread(target=self.store, args=(row,)).start()
            """),
    ),
)
