"""The actions that clients can ask for, and the client sessions that dispatch them.

Imports cluster, recovery, rooms, access, connections and protocols; does not know transports.
See docs/topics/architecture.md.
"""
