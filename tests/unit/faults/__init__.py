"""Tests of the fault suite's own pure parts."""
