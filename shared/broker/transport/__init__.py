"""Connections to the broker: a client for what is rare, a pipe for what is frequent, pub/sub.

The one folder that imports redis. Imports `shared.broker.scripts`. See decisions 003 and 006.
"""
