"""Unit tests of the broker's parts that need no server."""
