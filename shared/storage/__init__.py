"""SQL: tables, migrations, and reading. Writing is the persister's alone.

The only package beside the persister's writer that imports SQLAlchemy; imports the model.
See docs/architecture.md, "Who owns what", and docs/upgrades.md.
"""
