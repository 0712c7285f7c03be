"""Tests of how this checkout is put together, and of what measures that."""
