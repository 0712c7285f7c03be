"""The protocols of Socket.IO clients, over real connections to the conformance server."""
