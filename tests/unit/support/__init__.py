"""Tests of what tests are built on."""
