"""A web handler keeps this in the memory of its process, where the next request may not find it.

Web applications are mostly served by several processes, and each has globals of its own.  A session that one process
remembers is unknown to the next one, a counter counts the requests of one process only, and all of it is gone when the
server restarts a worker.

Keep it outside of the process: in a database, in Redis, in the framework's session.

https://docs.gunicorn.org/en/stable/design.html
https://fastapi.tiangolo.com/deployment/server-workers/

Not on by default: an application that will only ever have one process may do so.

Not reported: caches, whose values are computed again where they are missing; what is bound once, on first use; servers
that are one process by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Finding
from conclint.program.evidence import Evidence
from conclint.program.triggers import Triggers
from conclint.rules.rule import Bad, Good, Rule


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for kept in evidence.kept_by_handlers:
        yield Finding(
            kept.place,
            f"this handler keeps what it must remember in `{kept.store.path}`, which each process of the server has "
            "for itself; keep it in a store outside of the process",
            notes=kept.notes,
        )


RULE = Rule(
    code="CON324",
    name="state-kept-by-handler",
    triggers=Triggers(),
    conclude=conclude,
    default=False,
    examples=(
        Bad("""
            from flask import Flask, request

            app = Flask(__name__)
            sessions = {}

            @app.route("/login", methods=["POST"])
            def login():
                sessions[request.form["token"]] = request.form["name"]  # expect: CON324
                return "ok"
            """),
        Bad("""
            from fastapi import FastAPI

            app = FastAPI()
            visits = 0
            jobs = []

            @app.get("/")
            async def index():
                global visits
                visits += 1  # expect: CON324
                return await enqueue("visit")

            async def enqueue(job):
                jobs.append(job)  # expect: CON324
                return len(jobs)
            """),
        Bad("""
            from collections import defaultdict

            from django.urls import path

            votes = defaultdict(int)

            def vote(request, name):
                votes[name] += 1  # expect: CON324
                return name

            urlpatterns = [path("vote/<name>", vote)]
            """),
        Good("""
            from flask import Flask, session

            app = Flask(__name__)
            pages = {}
            page_cache = {}
            limits = {"pages": 3}
            client = None

            def open_client():
                return object()

            @app.route("/page/<name>")
            def page(name):
                global client
                if client is None:
                    client = open_client()
                if name not in pages:
                    pages[name] = name.upper()
                page_cache[name] = pages[name]
                session["last"] = name
                own = []
                own.append(limits["pages"])
                return pages[name]
            """),
        Good("""
            import redis
            from fastapi import FastAPI

            app = FastAPI()
            store = redis.Redis()

            @app.post("/jobs")
            async def add(name: str):
                store.lpush("jobs", name)
            """),
        Good("""
            sessions = {}

            def login(token, name):
                sessions[token] = name

            if __name__ == "__main__":
                login("1", "me")
            """),
    ),
)
