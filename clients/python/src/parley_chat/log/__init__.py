"""The logs of rooms and direct chats: each event once and in order, without gaps.

Imports `events` and `connection`; the engine stands above it.
See docs/topics/clients-inside.md.
"""
