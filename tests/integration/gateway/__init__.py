"""Tests of the gateway on a real server and a real database."""
