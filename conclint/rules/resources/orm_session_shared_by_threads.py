"""A SQLAlchemy session is used by several threads, or by several tasks at once.

A `Session` is one conversation with the database over one connection: while one thread flushes, another one's query
finds it in the middle of that and raises InvalidRequestError, or one thread commits what the other has not finished.
Make a session in each worker (`with Session(engine) as session:`); the engine is what they may share.  A
`scoped_session` gives each thread its own.  It is the same with an `AsyncSession` and the tasks of `asyncio.gather`:
"one AsyncSession per task".

Not reported: tasks that are awaited one after the other, `scoped_session`, sessions that a worker makes for itself or
keeps in a `threading.local`, uses under one lock.

https://docs.sqlalchemy.org/en/20/orm/session_basics.html#is-the-session-thread-safe-is-asyncsession-safe-to-share-in-concurrent-tasks
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.knowledge.kinds import Unshared
from conclint.knowledge.tasks import GATHERING, STARTING
from conclint.model import Finding, Note
from conclint.program.evidence import Evidence
from conclint.program.triggers import Triggers
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source

SESSIONS = frozenset({"sqlalchemy.orm.Session", "sqlalchemy.ext.asyncio.AsyncSession"})


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for shared in evidence.shared(Unshared.ORM):
        yield Finding(
            shared.used.access.place,
            f"several threads use `{shared.used.access.text}`, and a `{shared.used.type}` is one conversation with the "
            "database; make one in each thread",
            notes=shared.notes,
        )


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.gathered import given_to_tasks

    for call, node in given_to_tasks(source, SESSIONS):
        yield Finding(
            source.place(call),
            f"several tasks use `{source.code(node)}` at once, and a session is one conversation with the database; "
            "make one in each task",
            notes=(Note(source.place(node), "each of the tasks gets this one"),),
        )


RULE = Rule(
    code="CON519",
    name="orm-session-shared-by-threads",
    triggers=Triggers(needs="sqlalchemy", objects=frozenset({Unshared.ORM}), calls=frozenset((*GATHERING, *STARTING))),
    check=check,
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
        Bad("""
            import asyncio

            from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

            from models import Item, User, engine

            make_session = async_sessionmaker(engine)

            async def load(session, id):
                return await session.get(User, id)

            async def users(session: AsyncSession, ids):
                return await asyncio.gather(*(load(session, id) for id in ids))  # expect: CON519

            async def both():
                async with make_session() as session:
                    return await asyncio.gather(session.get(User, 1), session.get(Item, 1))  # expect: CON519

            class Repository:
                def __init__(self, session: AsyncSession):
                    self.session = session

                async def all(self, ids):
                    waiting = [load(self.session, id) for id in ids]
                    return await asyncio.gather(*waiting)  # expect: CON519

            async def started(session: AsyncSession, ids):
                async with asyncio.TaskGroup() as group:
                    for id in ids:
                        group.create_task(load(session, id))  # expect: CON519
            """),
        Good("""
            import asyncio

            from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

            from models import User, engine

            make_session = async_sessionmaker(engine)

            async def load(id):
                async with make_session() as session:
                    return await session.get(User, id)

            async def given(session, id):
                return await session.get(User, id)

            async def users(session: AsyncSession, ids):
                first = await session.get(User, ids[0])
                rest = await asyncio.gather(*(load(id) for id in ids[1:]), other(first))
                one = asyncio.create_task(given(session, 1))  # the only one
                await one
                for id in ids:
                    async with make_session() as own:
                        rest.append(asyncio.create_task(given(own, id)))
                sessions = [make_session() for _ in ids]
                await asyncio.gather(*(given(each, 1) for each in sessions))
                return [await session.get(User, id) for id in ids]
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
