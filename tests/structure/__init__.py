"""Measures how a checkout is put together: `python -m tests.structure --help`."""
