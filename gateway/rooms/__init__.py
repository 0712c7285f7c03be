"""Rooms and direct chats that this gateway follows: subscriptions, and delivery in one order.

Imports access, connections and protocols. `rooms/store` reads and writes rooms in the broker and
in SQL.
See docs/topics/message-path.md.
"""
