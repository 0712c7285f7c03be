"""Rooms and direct chats on this gateway: who is in them, and what they are told, in one order.

Imports access, connections and protocols. `rooms/store` reads and writes what is kept of rooms.
See docs/topics/message-path.md.
"""
