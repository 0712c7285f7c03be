"""Engine.IO 4 without I/O (socket.io/docs/v4/engine-io-protocol): packets, sessions, heartbeats.

Imports nothing but its own modules. It is told what time it is, and what came.
See docs/topics/socketio.md.
"""
