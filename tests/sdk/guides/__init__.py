"""Tests that follow the guides of `docs/` as a reader would, from an empty folder."""
