"""A stateless WebSocket gateway: clients on one side, broker and database on the other."""
