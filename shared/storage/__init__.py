"""SQL: tables, migrations, and reading. Only the persister writes.

No other package imports SQLAlchemy, except the persister's writer. Imports the model.
See docs/topics/failover.md, and docs/operate/upgrades.md.
"""
