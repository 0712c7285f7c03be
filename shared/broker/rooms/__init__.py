"""Rooms in the broker: find, open, publish to, read back, move cursors.

Imports partitions and transport. See docs/topics/architecture.md, "One message".
"""
