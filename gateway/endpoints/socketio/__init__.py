"""Engine.IO and Socket.IO over HTTP requests and WebSockets.

Ties the protocols without I/O (`gateway.protocols.engineio` and `socketio`) to requests, timers and
client sessions. See docs/topics/architecture.md, "Engine.IO and Socket.IO", and
docs/topics/socketio.md.
"""
