"""Takes clients in, checks what they ask, and tells them what happens.

`__main__` starts a gateway, `app` puts its parts together. The folders are layers: each imports
only what stands below it (`pyproject.toml`). See docs/topics/architecture.md.
"""
