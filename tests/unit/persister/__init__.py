"""Tests of the persister."""
