"""REST for direct chats and tickets: paths and bodies.

Asks for actions through `asking.py`; imports `gateway.api` and what is below, and no other door.
See docs/topics/architecture.md.
"""
