"""What clients may ask: the actions, who may do them, and the session that asks.

Imports cluster, recovery, rooms, access, connections and protocols; knows no transport.
See docs/topics/architecture.md.
"""
