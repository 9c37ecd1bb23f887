"""What holds for all tests."""

from __future__ import annotations

import signal

from hypothesis import HealthCheck, settings

# A busy machine is no fault of the code's: nothing here fails because it took long.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

# Who runs the tests in the background of a shell has interrupts ignored, by all that they start as well.
signal.signal(signal.SIGINT, signal.default_int_handler)
