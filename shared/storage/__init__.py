"""SQL: tables, migrations, and reading. Writing is the persister's alone."""
