"""Shares: who is served next where many ask, by address and user.

Imports what `gateway.access` may. See docs/topics/architecture.md.
"""
