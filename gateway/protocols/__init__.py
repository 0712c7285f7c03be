"""Wire formats without I/O: frames and payloads of the chat, RFC 6455 frames, Socket.IO.

Imports `shared` only. See docs/topics/guarantees.md and docs/topics/socketio.md.
"""
