"""Frameworks whose applications are commonly served by several processes."""

from __future__ import annotations

# flask.palletsprojects.com/deploying/gunicorn, docs.djangoproject.com/howto/deployment,
# fastapi.tiangolo.com/deployment/server-workers, quart.palletsprojects.com/how_to_guides/server_config,
# sanic.dev/en/guide/running/manager
SEVERAL_PROCESSES = ("flask.", "django.", "fastapi.", "starlette.", "quart.", "sanic.", "litestar.")

# Whose output servers collect, or send to their log: docs.celeryq.dev, worker_redirect_stdouts; docs.gunicorn.org,
# capture_output; docs.python.org/3/library/wsgiref.html
SERVED = (*SEVERAL_PROCESSES, "celery.", "huey.", "wsgiref.")
