"""Of the chat in a terminal."""
