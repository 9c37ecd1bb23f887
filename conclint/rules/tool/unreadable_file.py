"""This file cannot be read or parsed, so nothing is known of what it does.

conclint reads a program as a whole.  A file that it cannot read may start threads, hold locks or change what others
share, and all of that is missing from what is said of the other files.  So it is a finding, never silence.

It stands at the place where reading came to an end: a syntax error, a byte that the declared encoding does not know,
an encoding that nobody knows, a null byte; or at the file's beginning, where the file is a named pipe, a broken link or
may not be read.  Files are read as the Python reads them that runs conclint: one written for a newer Python
needs conclint to run on that one.

A file that is broken on purpose, such as a linter's fixture, belongs under `exclude` or `per-file-ignores`.  Since a
comment in a file that cannot be read cannot be trusted, `# noqa` does not hide this finding.
"""

from __future__ import annotations

from conclint.program.triggers import Triggers
from conclint.rules.rule import Rule

# The engine itself raises it: there is nothing that a rule could look at.
RULE = Rule(code="CON001", name="unreadable-file", triggers=Triggers(), examples=())
