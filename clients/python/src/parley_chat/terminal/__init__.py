"""Chat in a terminal, or as lines of JSON for scripts, on top of the client.

Imports the client as any application does; nothing of the client imports it.
See docs/reference/python.md.
"""
