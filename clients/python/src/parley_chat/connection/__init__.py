"""WebSocket connections: how they are opened, their frames, and requests that outlive them.

The lowest layer of the client: it imports only `websockets`, and the client's errors and constants.
See docs/topics/clients-inside.md.
"""
