"""A stand-in for a package that is not in requirements/runtime.txt."""

raise ImportError(name="asyncpg")
