"""Tests of the wheel of the Python client, in empty environments outside the repository."""
