"""Partitions: their keys, epochs, streams and the processes that share them.

Imports transport. See docs/topics/failover.md.
"""
