"""What the broker keeps for a while: sessions of clients, tickets, tokens of rate limits.

Imports partitions and transport. See docs/topics/security.md and docs/topics/socketio.md.
"""
