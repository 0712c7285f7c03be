"""Pages: history, lists of chats, and what was done in a room, from the log and from SQL.

Imports `gateway/rooms/store`. See docs/topics/message-path.md.
"""
