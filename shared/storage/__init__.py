"""SQL: tables, migrations, and reading. Writing is the persister's alone.

The only package beside the persister's writer that imports SQLAlchemy; imports the model.
See docs/topics/failover.md, and docs/operate/upgrades.md.
"""
