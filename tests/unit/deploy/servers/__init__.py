"""Tests of `deploy/servers`."""
