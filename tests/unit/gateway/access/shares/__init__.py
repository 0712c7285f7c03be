"""Tests of `gateway/access/shares`."""
