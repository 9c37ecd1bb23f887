"""What computes once and keeps the value, without a lock; and what should not be made twice."""

from __future__ import annotations

import re

# docs.python.org/3/library/functools.html#functools.cached_property: "does not prevent a possible race condition";
# docs.djangoproject.com/en/stable/ref/utils/#django.utils.functional.cached_property
PROPERTIES = frozenset({"functools.cached_property", "django.utils.functional.cached_property"})

# docs.python.org/3/library/functools.html#functools.lru_cache: "It's possible for the wrapped function to be called
# more than once if another thread makes an additional call before the initial call has been completed and cached."
CACHES = frozenset({"functools.cache", "functools.lru_cache"})

# What a decorator of such a name wraps gives one value again and again, to all who call it, for as long as the process
# lives: streamlit.io/docs, cache_resource; cachetools.readthedocs.io, cached; a property's value is its object's
KEEPING = re.compile(r"(?:^|_)(?:cached?|memo|memoized?|singleton|once)(?:_|$)(?!property)")

# What is called so holds on to more than memory: a connection, a file, a thread.
RESOURCE = re.compile(
    r"(?:^|_)(?:connect|open|socket|session|client|pool|engine|channel|connection|lock|executor|process|thread|server)$"
    r"|^(?:connect|open|create|start|spawn|launch|acquire)(?:_|$)"
    r"|(?:Connection|Client|Session|Pool|Engine|Socket|Channel|Executor|Thread|Process|Server|Lock|Queue|Producer|Popen)$"
)
