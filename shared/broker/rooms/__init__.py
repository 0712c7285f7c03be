"""Rooms in the broker: find, open, publish to, read back, move cursors.

Imports partitions and transport. See docs/topics/message-path.md.
"""
