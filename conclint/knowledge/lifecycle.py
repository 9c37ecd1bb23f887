"""Methods with which the owner begins or ends an object's life: one thread, or one task, calls them."""

from __future__ import annotations

from conclint.knowledge.names import members

LIFE = members(
    "start run open connect setup init initialize startup main "
    "stop close shutdown disconnect join terminate teardown cleanup reset"
)

# With which `with` and the interpreter do so.
ENTERED = members("__enter__ __exit__ __del__")
