"""Clients of the chat: `python/` and `javascript/`. Strangers to the server they talk to."""
