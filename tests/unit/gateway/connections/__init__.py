"""Tests of `gateway/connections`."""
