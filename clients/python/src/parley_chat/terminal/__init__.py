"""Chat in a terminal, or as lines of JSON for scripts, on the client.

Imports the client as any application does; nothing of the client imports it.
See docs/reference/python.md.
"""
