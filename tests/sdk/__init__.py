"""Tests of the client libraries as their users get them: built, and installed elsewhere."""
