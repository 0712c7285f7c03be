"""Code that gateways and persisters share: settings, the model, the broker, and SQL.

Imports neither of them. Its folders and modules are layers (`pyproject.toml`).
See docs/topics/architecture.md.
"""
