"""Names of the threading module that are deprecated, and what took their place."""

from __future__ import annotations

# docs.python.org/3/whatsnew/3.10.html#deprecated: the camelCase names of `threading`
FUNCTIONS = {
    "threading.currentThread": "current_thread",
    "threading.activeCount": "active_count",
}
METHODS = {
    "threading.Condition.notifyAll": "notify_all",
    "threading.Event.isSet": "is_set",
}
GETTERS = {
    "threading.Thread.getName": "name",
    "threading.Thread.isDaemon": "daemon",
}
SETTERS = {
    "threading.Thread.setName": "name",
    "threading.Thread.setDaemon": "daemon",
}
