"""Socket.IO connection state recovery: what is kept of a client so that it can come back anywhere.

Imports rooms and what is below. See docs/topics/socketio.md, and decision 007.
"""
