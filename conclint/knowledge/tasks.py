"""Calls that start several tasks of an event loop at once."""

from __future__ import annotations

# docs.python.org/3/library/asyncio-task.html#running-tasks-concurrently
GATHERING = ("asyncio.gather", "asyncio.wait")

# docs.python.org/3/library/asyncio-task.html#creating-tasks, #task-groups
STARTING = ("asyncio.create_task", "asyncio.ensure_future", "asyncio.TaskGroup.create_task")
