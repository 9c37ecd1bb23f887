"""Calls of frameworks and libraries that make other code run somewhere else."""

from __future__ import annotations

from conclint.knowledge.kinds import Context, Spawner, Target
from conclint.knowledge.names import below, each

LOOP, MAIN, PROCESS, THREAD = Context.LOOP, Context.MAIN, Context.PROCESS, Context.THREAD

# flask.palletsprojects.com/appcontext, quart.palletsprojects.com, bottlepy.org/docs/dev/tutorial.html: names that stand
# for another object in each request
OF_REQUESTS = frozenset(
    below("flask", "session request g current_app")
    + below("flask.globals", "session request g current_app")
    + below("quart", "session request g current_app websocket")
    + below("bottle", "request response")
)

_VERBS = "get post put delete patch options head trace"
_VIEW = Spawner(THREAD, Target.DECORATED, many=True)
_HOOKS = "before_request after_request teardown_request teardown_appcontext errorhandler context_processor"

# flask.palletsprojects.com/api: the development server and every threaded WSGI server run a view per request
FLASK = {
    **each(below("flask.Flask", f"route get post put delete patch {_HOOKS} url_value_preprocessor"), _VIEW),
    **each(
        below(
            "flask.Blueprint",
            f"route get post put delete patch {_HOOKS} before_app_request after_app_request teardown_app_request "
            "app_errorhandler app_context_processor",
        ),
        _VIEW,
    ),
    **each(
        below("flask.Flask", "add_url_rule") + below("flask.Blueprint", "add_url_rule"),
        Spawner(THREAD, position=2, keyword="view_func", many=True),
    ),
    # flask.palletsprojects.com/views: one method per HTTP verb
    "flask.views.View": Spawner(THREAD, Target.METHODS, methods=("dispatch_request",), many=True),
    "flask.views.MethodView": Spawner(
        THREAD, Target.METHODS, methods=("get", "post", "put", "delete", "patch", "head", "options"), many=True
    ),
}

# docs.djangoproject.com/ref/urls: the view of a route; docs.djangoproject.com/topics/async: sync views run in threads
DJANGO = {
    **each(
        ["django.urls.path", "django.urls.re_path", "django.conf.urls.url"],
        Spawner(THREAD, position=1, keyword="view", many=True),
    ),
    # docs.djangoproject.com/ref/class-based-views/base
    "django.views.View": Spawner(
        THREAD,
        Target.METHODS,
        methods=("dispatch", "setup", "get", "post", "put", "patch", "delete", "head", "options", "trace"),
        many=True,
    ),
    # docs.djangoproject.com/topics/http/decorators: only views wear these
    **each(
        [
            *below("django.views.decorators.http", "require_http_methods require_GET require_POST require_safe"),
            "django.views.decorators.csrf.csrf_exempt",
            "django.contrib.auth.decorators.login_required",
        ],
        _VIEW,
    ),
}

# fastapi.tiangolo.com/async: a path operation or dependency with plain `def` runs in a thread pool
FASTAPI = {
    **each(below("fastapi.FastAPI", f"{_VERBS} api_route exception_handler"), _VIEW),
    **each(below("fastapi.APIRouter", f"{_VERBS} api_route"), _VIEW),
    "fastapi.Depends": Spawner(THREAD, keyword="dependency", many=True),
    "fastapi.FastAPI.add_api_route": Spawner(THREAD, position=1, keyword="endpoint", many=True),
    "fastapi.APIRouter.add_api_route": Spawner(THREAD, position=1, keyword="endpoint", many=True),
}

# starlette.io/threadpool, /routing, /background: plain functions go through run_in_threadpool
STARLETTE = {
    "starlette.concurrency.run_in_threadpool": Spawner(THREAD, keyword="func"),
    "starlette.routing.Route": Spawner(THREAD, position=1, keyword="endpoint", many=True),
    "starlette.background.BackgroundTask": Spawner(THREAD, keyword="func"),
    "starlette.background.BackgroundTasks.add_task": Spawner(THREAD, keyword="func"),
    # asgi.readthedocs.io/#function-wrappers: by default all in one thread, one after the other
    "asgiref.sync.sync_to_async": Spawner(THREAD, keyword="func", also=(Spawner(THREAD, Target.DECORATED),)),
    "asgiref.sync.async_to_sync": Spawner(LOOP, keyword="awaitable", also=(Spawner(LOOP, Target.DECORATED),)),
}

# anyio.readthedocs.io/threads, /subprocesses; trio.readthedocs.io/reference-core.html#threads-if-you-must
ANYIO = {
    "anyio.to_thread.run_sync": Spawner(THREAD, keyword="func"),
    "anyio.to_process.run_sync": Spawner(PROCESS, keyword="func"),
    "anyio.to_interpreter.run_sync": Spawner(PROCESS, keyword="func"),
    **each(below("anyio.from_thread", "run run_sync"), Spawner(LOOP, keyword="func")),
    **each(below("anyio.from_thread.BlockingPortal", "call start_task_soon start_task"), Spawner(LOOP, keyword="func")),
    "anyio.run": Spawner(LOOP, keyword="func"),
    **each(below("anyio.abc.TaskGroup", "start_soon start"), Spawner(LOOP, keyword="func")),
    "trio.to_thread.run_sync": Spawner(THREAD, keyword="sync_fn"),
    "trio.from_thread.run": Spawner(LOOP, keyword="afn"),
    "trio.from_thread.run_sync": Spawner(LOOP, keyword="fn"),
    "trio.run": Spawner(LOOP, keyword="async_fn"),
    **each(below("trio.Nursery", "start_soon start"), Spawner(LOOP, keyword="async_fn")),
}

# www.tornadoweb.org/en/stable/ioloop.html, web.html
TORNADO = {
    "tornado.ioloop.IOLoop.run_in_executor": Spawner(THREAD, position=1, keyword="func"),
    **each(
        below("tornado.ioloop.IOLoop", "add_callback add_callback_from_signal spawn_callback"),
        Spawner(LOOP, keyword="callback"),
    ),
    **each(
        below("tornado.ioloop.IOLoop", "call_later call_at add_timeout"), Spawner(LOOP, position=1, keyword="callback")
    ),
    "tornado.ioloop.IOLoop.run_sync": Spawner(LOOP, keyword="func"),
    "tornado.ioloop.PeriodicCallback": Spawner(LOOP, keyword="callback"),
    "tornado.web.RequestHandler": Spawner(
        LOOP,
        Target.METHODS,
        methods=("initialize", "prepare", "on_finish", "get", "post", "put", "patch", "delete", "head", "options"),
        many=True,
    ),
}

# joblib.readthedocs.io/en/stable/parallel.html: processes by default, threads with prefer="threads"
# tqdm.github.io/docs/contrib.concurrent
# distributed.dask.org/en/stable/client.html: in worker processes
PARALLEL = {
    "joblib.delayed": Spawner(PROCESS, keyword="function", many=True),
    "tqdm.contrib.concurrent.thread_map": Spawner(THREAD, many=True),
    "tqdm.contrib.concurrent.process_map": Spawner(PROCESS, many=True),
    "distributed.Client.submit": Spawner(PROCESS, keyword="func"),
    "distributed.Client.map": Spawner(PROCESS, keyword="func", many=True),
}

_SCHEDULER = "apscheduler.schedulers.base.BaseScheduler"

# apscheduler.readthedocs.io/en/3.x/userguide.html: jobs run in the default thread pool, one instance of each
# docs.celeryq.dev/en/stable/userguide/workers.html: the default pool forks; huey.readthedocs.io/en/latest/consumer.html
# and dramatiq.io/guide.html: threads; python-rq.org/docs/workers: a fork per job
TASKS = {
    f"{_SCHEDULER}.add_job": Spawner(THREAD, keyword="func"),
    f"{_SCHEDULER}.scheduled_job": Spawner(THREAD, Target.DECORATED),
    f"{_SCHEDULER}.add_listener": Spawner(THREAD, keyword="callback"),
    **each(["celery.Celery.task", "celery.shared_task"], Spawner(PROCESS, Target.DECORATED, many=True)),
    "celery.Task": Spawner(PROCESS, Target.METHODS, methods=("run",), many=True),
    **each(below("huey.api.Huey", "task periodic_task"), Spawner(THREAD, Target.DECORATED, many=True)),
    "dramatiq.actor": Spawner(THREAD, Target.DECORATED, many=True),
    "rq.decorators.job": Spawner(PROCESS, Target.DECORATED, many=True),
    "rq.Queue.enqueue": Spawner(PROCESS, keyword="f"),
}

# python-watchdog.readthedocs.io/en/stable/api.html: the observer's thread; docs.paramiko.org/en/stable/api/server.html:
# "called from paramiko's primary thread"
CALLED_BACK = {
    "watchdog.events.FileSystemEventHandler": Spawner(THREAD, Target.METHODS, methods=("on_*", "dispatch")),
    "paramiko.ServerInterface": Spawner(THREAD, Target.METHODS, methods=("check_*", "get_*", "cancel_*")),
    # docs.twisted.org/en/stable/core/howto/threading.html
    "twisted.internet.threads.deferToThread": Spawner(THREAD, keyword="f"),
    "twisted.internet.reactor.callInThread": Spawner(THREAD),
    "twisted.internet.reactor.callFromThread": Spawner(LOOP),
    # doc.qt.io/qtforpython-6/PySide6/QtCore/QThread.html, QRunnable.html
    **each(
        [f"{binding}.QtCore.QThread" for binding in ("PySide6", "PySide2", "PyQt5", "PyQt6")],
        Spawner(THREAD, Target.METHODS, methods=("run",)),
    ),
    **each(
        [f"{binding}.QtCore.QRunnable" for binding in ("PySide6", "PySide2", "PyQt5", "PyQt6")],
        Spawner(THREAD, Target.METHODS, methods=("run",)),
    ),
}

FRAMEWORKS = FLASK | DJANGO | FASTAPI | STARLETTE | ANYIO | TORNADO | PARALLEL | TASKS | CALLED_BACK

# Data classes by inheritance: what their bodies name are attributes that each of their objects has for itself.
# docs.pydantic.dev/latest/concepts/models/, jcristharif.com/msgspec/structs.html, sqlmodel.tiangolo.com
MODELS = frozenset(
    {
        "pydantic.BaseModel",
        "pydantic.main.BaseModel",
        "pydantic.v1.BaseModel",
        "pydantic_settings.BaseSettings",
        "pydantic.BaseSettings",
        "sqlmodel.SQLModel",
        "msgspec.Struct",
    }
)

# These decorators have a method called while its object is being made.
# docs.pydantic.dev/latest/concepts/validators/#model-validators
VALIDATORS = frozenset(
    {"pydantic.model_validator", "pydantic.root_validator", "pydantic.functional_validators.model_validator"}
)
