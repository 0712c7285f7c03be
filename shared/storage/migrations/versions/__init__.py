"""The changes of the schema, a file for each; `down_revision` names the one before.

Imports Alembic and SQLAlchemy only: a change means the same for good, whatever the tables are now.
See docs/operate/upgrades.md.
"""
