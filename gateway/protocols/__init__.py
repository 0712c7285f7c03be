"""Wire formats without I/O: frames and payloads of the chat, RFC 6455 frames, close codes.

Imports `shared.model` only. See docs/topics/socketio.md.
"""
