"""The logs of rooms and direct chats: each event once, in order, holes closed.

Imports `events` and `connection`; the engine stands above it.
See docs/topics/clients-inside.md.
"""
