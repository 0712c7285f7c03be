"""Tests of the rules of names and passwords."""
