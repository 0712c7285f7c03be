"""The endpoints of a gateway: `/ws`, Socket.IO, REST, pages, health, and the operator's port.

Each translates its protocol into calls of `gateway.api`, and the results back. Imports all other
folders of the gateway, and is the one folder that imports Starlette. See
docs/topics/architecture.md.
"""
