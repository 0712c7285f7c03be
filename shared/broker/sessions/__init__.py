"""What the broker keeps for a while: sessions of clients, tickets, tokens of rate limits.

Imports partitions and transport. See docs/security.md and docs/socketio.md.
"""
