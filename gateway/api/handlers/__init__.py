"""Handlers of actions: one function for each action, called once its rule has allowed it.

Imports the rest of `gateway.api` except the tables, and the layers below. Checks no permissions.
See docs/topics/message-path.md, and decision 060.
"""
