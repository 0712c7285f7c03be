"""Stored rooms, in the broker and in SQL: finding and opening them, reading their events.

Imports `shared`; does not know clients. `gateway/rooms` builds followed rooms on it.
See docs/topics/message-path.md.
"""
