"""Connections of clients, from the handshake to the close, and what waits to be written to them.

Imports protocols; knows nothing of rooms or of who may do what. See decisions 005 and 020.
"""
