"""Of the logs of rooms and chats."""
