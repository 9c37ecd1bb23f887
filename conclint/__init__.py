"""conclint finds concurrency mistakes in Python programs."""

__version__ = "0.1.0"
