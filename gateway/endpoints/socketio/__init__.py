"""Engine.IO and Socket.IO over requests and WebSockets: the server, its sessions, the chat.

Ties the protocols of `gateway.protocols.engineio` and `socketio` to clients' sessions.
See docs/topics/socketio.md.
"""
