"""The doors: `/ws`, Socket.IO, REST, pages, health, and the operator's port.

Each turns what its protocol says into calls of `gateway.api`, and answers in the protocol's words.
Imports everything below; the one folder with Starlette. See docs/topics/architecture.md.
"""
