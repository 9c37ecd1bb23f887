"""What writes to the terminal that all threads and processes of a program share."""

from __future__ import annotations

# docs.python.org/3/library/functions.html#print, pprint.html#pprint.pprint, sys.html#sys.stdout
FUNCTIONS = ("builtins.print", "pprint.pprint", "pprint.pp")
PRINTING = (*FUNCTIONS, "sys.stdout.write", "sys.stderr.write")

# docs.python.org/3/library/sys.html#sys.stdout, sys.html#sys.__stdout__
TERMINALS = frozenset({"sys.stdout", "sys.stderr", "sys.__stdout__", "sys.__stderr__"})
