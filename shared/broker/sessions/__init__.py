"""Data that the broker keeps for a limited time: sessions, tickets, token buckets.

Imports partitions and transport. See docs/topics/security.md and docs/topics/socketio.md.
"""
