"""What writes to the terminal that all threads and processes of a program share."""

from __future__ import annotations

from conclint.knowledge.names import below

# docs.python.org/3/library/functions.html#print, pprint.html#pprint.pprint, sys.html#sys.stdout
FUNCTIONS = ("builtins.print", "pprint.pprint", "pprint.pp")
# docs.python.org/3/library/traceback.html#traceback.print_exc: to stderr, unless `file` says otherwise; line by line
TRACEBACKS = tuple(below("traceback", "print_exc print_exception print_stack print_tb print_last"))
PRINTING = (*FUNCTIONS, *TRACEBACKS, "sys.stdout.write", "sys.stderr.write")

# docs.python.org/3/library/sys.html#sys.stdout, sys.html#sys.__stdout__
TERMINALS = frozenset({"sys.stdout", "sys.stderr", "sys.__stdout__", "sys.__stderr__"})
