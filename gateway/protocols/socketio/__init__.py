"""Socket.IO 5 without I/O (socket.io/docs/v4/socket-io-protocol): packets, and events as frames.

Imports `gateway.protocols.engineio` and the frames of the chat.
See docs/topics/socketio.md.
"""
