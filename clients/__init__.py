"""Clients of the chat: `python/` and `javascript/`, strangers to the server they talk to.

They import nothing of the server but a few types of `shared`; nothing imports them.
See docs/reference/python.md and docs/reference/javascript.md.
"""
