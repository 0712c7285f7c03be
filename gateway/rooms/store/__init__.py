"""Rooms as they are kept, in the broker first and then in SQL: find, open, read back.

Imports `shared`; knows no client. The rooms that are followed here stand above it.
See docs/topics/message-path.md.
"""
