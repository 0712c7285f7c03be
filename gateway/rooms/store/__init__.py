"""Rooms as they are kept, in the broker first and then in SQL: find, send, read back."""
