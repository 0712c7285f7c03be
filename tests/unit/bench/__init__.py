"""The bench, without a server."""
