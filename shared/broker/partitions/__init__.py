"""Partitions: their keys, epochs, streams and the processes that share them.

Imports transport. See docs/topics/architecture.md, "Names, formats, and who lives", and "The fence".
"""
