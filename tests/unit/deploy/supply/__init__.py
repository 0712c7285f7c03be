"""Tests of `deploy/supply`."""
