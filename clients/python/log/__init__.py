"""The logs of rooms and direct chats: each event once, in order, holes closed."""
