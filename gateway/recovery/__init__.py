"""Socket.IO connection state recovery: sessions by which a client resumes through any gateway.

Imports rooms and what is below. See docs/topics/socketio.md, and decision 007.
"""
