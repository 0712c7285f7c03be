"""Tests of the persister on a real server and a real database."""
