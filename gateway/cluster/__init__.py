"""This gateway among the others: heartbeats, presence, partitions, control channels, readiness.

Imports recovery and rooms, to which it hands what the broker publishes.
See docs/topics/order-and-resume.md.
"""
