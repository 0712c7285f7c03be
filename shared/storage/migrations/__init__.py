"""Changes of the schema, in order, for Alembic; `env.py` runs them.

Imports `shared.storage.tables` only; a file in `versions` is one change.
See docs/operate/upgrades.md.
"""
