"""Tests of the broker on a real server."""
