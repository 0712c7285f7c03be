"""Connections of clients, from the handshake to the close, with the outbox of each.

Imports `gateway.protocols` only, and knows neither rooms nor permissions. See decisions 005 and
020 for why WebSockets are served by code of our own.
"""
