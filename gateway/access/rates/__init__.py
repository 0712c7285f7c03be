"""Rates: how often each user and address may ask for what.

Imports what `gateway.access` may. See docs/topics/architecture.md.
"""
