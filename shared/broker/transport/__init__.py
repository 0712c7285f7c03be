"""Connections to the broker: a client for rare commands, a pipe for frequent ones, pub/sub.

No other folder imports redis. Imports `shared.broker.scripts`. See decisions 003 and 006.
"""
