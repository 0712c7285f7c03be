"""REST for direct chats and tickets: paths, bodies, and the OpenAPI document.

Asks for actions through `asking.py`; imports `gateway.api` and what is below, and no other door.
See docs/topics/architecture.md.
"""
