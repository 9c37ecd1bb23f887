"""Questions that are out of date when they are answered, and what is done on the answer."""

from __future__ import annotations

from conclint.knowledge.names import below

# docs.python.org/3/library/os.path.html, pathlib.html
EXISTENCE = frozenset(
    {*below("os.path", "exists lexists isfile isdir islink"), *below("pathlib.Path", "exists is_file is_dir")}
)

# docs.python.org/3/library/os.html#os.mkdir: "If the directory already exists, FileExistsError is raised."
MAKING = frozenset({*below("os", "mkdir makedirs"), "pathlib.Path.mkdir"})

# docs.python.org/3/library/os.html#os.remove, pathlib.html#pathlib.Path.unlink: FileNotFoundError
REMOVING = frozenset({*below("os", "remove unlink rmdir"), *below("pathlib.Path", "unlink rmdir")})

# docs.python.org/3/library/shutil.html#shutil.rmtree: FileNotFoundError, unless errors are ignored
CLEARING = frozenset({"shutil.rmtree"})

# docs.python.org/3/library/functions.html#open: "w" empties what another one has just written
OPENING = frozenset({"builtins.open", "pathlib.Path.open"})

# docs.python.org/3/library/tempfile.html, uuid.html: names that nobody else has
UNIQUE = ("tempfile.", "uuid.")

# What is caught by whoever knows that others may have been faster.
FORGIVING = frozenset(
    {"OSError", "IOError", "EnvironmentError", "FileExistsError", "FileNotFoundError", "Exception", "error"}
)

# docs.python.org/3/library/queue.html#queue.Queue.empty: no guarantee for a call that follows
QUEUES = frozenset(
    {*below("queue", "Queue SimpleQueue LifoQueue PriorityQueue"), *below("multiprocessing", "Queue JoinableQueue")}
)
EMPTINESS = frozenset({"empty", "qsize"})
TAKING = frozenset({"get", "get_nowait"})
