"""An object that one thread at a time may use is used by several.

A `requests.Session` keeps cookies, headers and adapters that each request reads and changes; a connection to a mail,
FTP or database server sends a command and waits for its answer.  When two threads use one, a request goes out with
the other's cookies, and an answer is read by the thread that did not ask.  Give each thread an object of its own
(`threading.local`, or one made in the worker), or one lock around each use.

Not reported: objects that are documented as thread-safe (`httpx.Client`, `urllib3.PoolManager`, `redis.Redis`,
`pymongo.MongoClient`), an object that a worker makes for itself or keeps in a `threading.local`, uses under one lock,
and a single worker beside a main thread that leaves the object alone.  Classes of your own count too when
`thread-unsafe` in `[tool.conclint.knowledge]` names them.  A `requests.Session` of another object (`self.client.http`)
is shown to those who select CON508: it is shared with others still, by somebody's decision.

https://github.com/psf/requests/issues/2766
https://docs.python.org/3/library/http.client.html
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.knowledge.kinds import Unshared
from conclint.model import Finding
from conclint.program.evidence import Evidence
from conclint.program.triggers import uses
from conclint.rules.rule import Bad, Good, Rule

SESSION = "requests.Session"


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for shared in evidence.shared(Unshared.CLIENT):
        yield Finding(
            shared.used.access.place,
            f"several threads use `{shared.used.access.text}`, and a `{shared.used.type}` is not thread-safe; give "
            "each thread its own, or hold one lock around each use",
            notes=shared.notes,
            when_asked=shared.used.type == SESSION and shared.used.access.text.count(".") > 1,
        )


RULE = Rule(
    code="CON508",
    name="client-shared-by-threads",
    triggers=uses(Unshared.CLIENT),
    conclude=conclude,
    examples=(
        Bad("""
            from concurrent.futures import ThreadPoolExecutor

            import requests

            def main(urls):
                session = requests.Session()
                with ThreadPoolExecutor() as pool:
                    return list(pool.map(session.get, urls))  # expect: CON508
            """),
        Bad("""
            from concurrent.futures import ThreadPoolExecutor
            from functools import partial

            import requests

            class Loader:
                session = requests.Session()

                def load(self, urls):
                    with ThreadPoolExecutor() as pool:
                        return list(pool.map(partial(self.session.get, timeout=3), urls))  # expect: CON508

            class Pages:
                def __init__(self):
                    self.session = requests.Session()

                def all(self, urls):
                    with ThreadPoolExecutor() as pool:
                        return list(pool.map(lambda url: self.session.get(url).text, urls))  # expect: CON508

            class Threads:
                def __init__(self):
                    self._session = requests.Session()
                    self._pool = ThreadPoolExecutor()

                def fetch(self, url):
                    return self._pool.submit(self._fetch, url)

                def _fetch(self, url):
                    session = self._session
                    return session.get(url)  # expect: CON508
            """),
        Bad("""
            from concurrent.futures import ThreadPoolExecutor

            import requests as http

            session = http.Session()

            def fetch(url):
                return session.get(url).text  # expect: CON508

            def main(urls):
                with ThreadPoolExecutor() as pool:
                    return [pool.submit(fetch, url) for url in urls]
            """),
        Bad("""
            import threading
            from smtplib import SMTP

            class Mailer:
                def __init__(self, host):
                    self.server = SMTP(host)

                def _deliver(self, message):
                    self.server.send_message(message)  # expect: CON508

                def all(self, messages):
                    for message in messages:
                        threading.Thread(target=self._deliver, args=(message,)).start()
            """),
        Bad("""
            import threading
            from http.client import HTTPSConnection

            def ask(connection, path):
                connection.request("GET", path)  # expect: CON508
                return connection.getresponse()

            def main(paths):
                connection = HTTPSConnection("example.org")
                workers = [threading.Thread(target=ask, args=(connection, path)) for path in paths]
                for worker in workers:
                    worker.start()
                for worker in workers:
                    worker.join()
            """),
        Bad("""
            import threading
            import requests

            def main(urls):
                session = requests.Session()

                def poll():
                    while True:
                        session.get("https://example.org/news")  # expect: CON508

                threading.Thread(target=poll, daemon=True).start()
                for url in urls:
                    session.get(url)
            """),
        Good("""
            import threading
            from concurrent.futures import ThreadPoolExecutor

            import requests

            local = threading.local()

            def fetch(url):
                if not hasattr(local, "session"):
                    local.session = requests.Session()
                return local.session.get(url)

            def fetch_once(url):
                with requests.Session() as session:
                    session.get(url)
                    return more(session)

            def more(session):
                return session.get("https://example.org")

            def main(urls):
                with ThreadPoolExecutor() as pool:
                    list(pool.map(fetch, urls))
                    list(pool.map(fetch_once, urls))
                    list(pool.map(requests.get, urls))
            """),
        Good("""
            import threading

            import requests

            class Service:
                def __init__(self):
                    self._session = requests.Session()
                    self._lock = threading.RLock()
                    self._thread = threading.Thread(target=self._loop)

                def start(self):
                    self._session.get("https://example.org/login")  # nobody else is there yet
                    self._thread.start()

                def _loop(self):
                    while True:
                        with self._lock:
                            self._poll()

                def _poll(self):
                    self._session.get("https://example.org/news")

                def ask(self):
                    with self._lock:
                        return self._session.get("https://example.org")

                def stop(self):
                    self._thread.join()
                    self._session.close()
            """),
        Good("""
            import asyncio

            import requests

            session = requests.Session()

            def fetch(url):
                return session.get(url)

            async def one_by_one(urls):
                loop = asyncio.get_running_loop()
                own = requests.Session()
                for url in urls:
                    await loop.run_in_executor(None, own.get, url)
                    await asyncio.to_thread(own.get, url)
                return [await loop.run_in_executor(None, fetch, url) for url in urls]
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            import httpx
            import urllib3

            client = httpx.Client()
            manager = urllib3.PoolManager()

            def fetch(url):
                manager.request("GET", url)
                return client.get(url)

            def main(urls):
                with ThreadPoolExecutor() as pool:
                    list(pool.map(fetch, urls))
                    list(pool.map(client.get, urls))
            """),
        Good("""
            import threading
            from smtplib import SMTP

            import requests

            class Mailer:
                def __init__(self, host):
                    self.server = SMTP(host)
                    self.lock = threading.Lock()

                def _deliver(self, message):
                    with self.lock:
                        self.server.send_message(message)

                def all(self, messages):
                    for message in messages:
                        threading.Thread(target=self._deliver, args=(message,)).start()

            class Poller(threading.Thread):
                def __init__(self, url):
                    super().__init__()
                    self.url = url
                    self.session = requests.Session()  # one for each thread

                def run(self):
                    self.session.get(self.url)

            def main(urls):
                pollers = [Poller(url) for url in urls]
                for poller in pollers:
                    poller.start()
                for poller in pollers:
                    poller.join()
            """),
        Good("""
            import threading

            import requests

            class Poller(threading.Thread):
                def __init__(self, session, url):
                    super().__init__()
                    self.session, self.url = session, url

                def run(self):
                    self.session.get(self.url)

            class Page(threading.Thread):
                def __init__(self, url):
                    super().__init__()
                    self.session = requests.Session()
                    self.url = url

                def load(self):
                    def work():
                        self.session.get(self.url)

                    threading.Thread(target=work).start()

            def load_all(urls):
                for url in urls:
                    Page(url).load()

            class Sessions:
                def __init__(self):
                    self._by_thread = {}

                def get(self, url):
                    number = threading.get_ident()
                    if number not in self._by_thread:
                        self._by_thread[number] = requests.Session()
                    return self._by_thread[number].get(url)

            def visit(session):
                session.get("https://example.org")

            def main(urls):
                sessions = [requests.Session() for _ in urls]
                for session in sessions:
                    threading.Thread(target=visit, args=(session,)).start()
                for url, session in zip(urls, sessions):
                    Poller(session, url).start()
                shared = Sessions()
                for url in urls:
                    threading.Thread(target=shared.get, args=(url,)).start()
            """),
        Good("""
            import threading

            import requests

            def main(groups):
                for group in groups:
                    session = requests.Session()  # one for each thread
                    other = requests.Session()
                    threading.Thread(target=visit, args=(session, group)).start()
                    threading.Thread(target=lambda: other.get(group[0])).start()

            def visit(session, urls):
                for url in urls:
                    session.get(url)
            """),
    ),
)
