"""Tests of storage on a real database."""
