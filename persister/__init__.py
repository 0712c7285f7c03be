"""The persister: reads partition streams and writes each entry to SQL exactly once.

Imports `shared` only. `pyproject.toml` has its layers, from the worker down to the batch.
See docs/topics/failover.md.
"""
