"""Tests of `deploy/processes`."""
