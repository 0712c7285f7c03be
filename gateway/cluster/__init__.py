"""This gateway among the others: heartbeats, presence, partitions, control channels, readiness.

Imports recovery and rooms, to which it hands what the broker publishes.
See docs/architecture.md, "What notices a loss".
"""
