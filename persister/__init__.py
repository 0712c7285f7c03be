"""The persister: consumes partition streams and writes them to SQL, each exactly once.

Imports `shared` only; `pyproject.toml` has its layers, from the worker down to the batch.
See docs/topics/failover.md.
"""
