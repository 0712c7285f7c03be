"""Tests that run whole clusters."""
