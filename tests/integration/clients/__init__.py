"""Tests of `clients`."""
