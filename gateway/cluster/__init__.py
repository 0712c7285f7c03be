"""This gateway's part in the cluster: heartbeats, presence, partitions, control channels, status.

Imports recovery and rooms, to which it passes the messages that the broker publishes.
See docs/topics/order-and-resume.md.
"""
