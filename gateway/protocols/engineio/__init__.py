"""Engine.IO 4 without I/O (socket.io/docs/v4/engine-io-protocol): packets, sessions, heartbeats.

Imports its own modules only. Its callers pass it the time and what was received.
See docs/topics/socketio.md.
"""
