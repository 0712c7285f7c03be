"""Rooms in the broker: finding and opening them, sends, reading logs, and cursors.

Imports partitions and transport. See docs/topics/message-path.md.
"""
