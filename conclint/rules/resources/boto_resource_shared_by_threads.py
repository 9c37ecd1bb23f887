"""A boto3 resource or session is used by several threads.

Resources and sessions "are not thread safe": they build and cache their service's data while they are used, so that
threads see half of it, or an attribute that another one is loading.  `boto3.client()` and `boto3.resource()` ask the
default session, which all threads share.  Clients are thread-safe: make one client and let all workers use it, or make
a session with its resource in each worker.

Not reported: clients, resources that a worker makes for itself or keeps in a `threading.local`, uses under one lock.

https://boto3.amazonaws.com/v1/documentation/api/latest/guide/resources.html#multithreading-or-multiprocessing-with-resources
https://boto3.amazonaws.com/v1/documentation/api/latest/guide/session.html#multithreading-or-multiprocessing-with-sessions
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.knowledge.kinds import Context, Setting, Unshared
from conclint.model import Finding
from conclint.program.evidence import Evidence
from conclint.program.triggers import Triggers
from conclint.rules.rule import Bad, Good, Rule

# So many calls lead from the start to where a client is made; longer ways are often other objects' ways.
NEAR = 4


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for shared in evidence.shared(Unshared.CLOUD):
        yield Finding(
            shared.used.access.place,
            f"several threads use `{shared.used.access.text}`, and boto3's resources and sessions are not thread-safe; "
            "share a client, or make a session in each thread",
            notes=shared.notes,
        )
    for doing in evidence.doings(Setting.SESSION):
        if doing.other is not None and not doing.guarded and len(doing.notes) <= NEAR:
            yield Finding(
                doing.change.place,
                f"`{doing.change.text}` in several threads asks boto3's one default session, which is not thread-safe; "
                "make one client for all, or a session in each thread",
                notes=doing.notes,
            )


RULE = Rule(
    code="CON521",
    name="boto-resource-shared-by-threads",
    triggers=Triggers(
        objects=frozenset({Unshared.CLOUD}),
        settings=frozenset({Setting.SESSION}),
        contexts=frozenset({Context.THREAD}),
    ),
    conclude=conclude,
    examples=(
        Bad("""
            from concurrent.futures import ThreadPoolExecutor

            import boto3

            s3 = boto3.resource("s3")

            def main(bucket, keys):
                with ThreadPoolExecutor() as pool:
                    list(pool.map(lambda key: s3.Object(bucket, key).load(), keys))  # expect: CON521
            """),
        Bad("""
            import threading
            from boto3.session import Session

            class Loader:
                def __init__(self):
                    self.session = Session()

                def load(self, key):
                    self.session.client("s3").download_file("bucket", key, key)  # expect: CON521

                def all(self, keys):
                    for key in keys:
                        threading.Thread(target=self.load, args=(key,)).start()
            """),
        Bad("""
            import boto3
            from flask import Flask

            app = Flask(__name__)
            database = boto3.resource("dynamodb", region_name="eu-west-1")

            @app.get("/<name>")
            def show(name):
                return database.Table("names").get_item(Key={"name": name})  # expect: CON521
            """),
        Bad("""
            from concurrent.futures import ThreadPoolExecutor

            import boto3

            def head(key):
                return boto3.client("s3").head_object(Bucket="bucket", Key=key)  # expect: CON521

            def main(keys):
                with ThreadPoolExecutor() as pool:
                    return list(pool.map(head, keys))
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            import boto3

            s3 = boto3.client("s3")

            def own(key):
                session = boto3.session.Session()
                session.resource("s3").Object("bucket", key).load()

            def main(bucket, keys):
                with ThreadPoolExecutor() as pool:
                    list(pool.map(lambda key: s3.head_object(Bucket=bucket, Key=key), keys))
                    list(pool.map(own, keys))
            """),
    ),
)
