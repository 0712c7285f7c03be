"""What gateways and persisters have in common: settings, the model, the broker and storage.

Imports nobody who shares it; its folders and modules are layers (`pyproject.toml`).
See docs/topics/architecture.md.
"""
