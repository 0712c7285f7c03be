"""Bytes that nobody thought of, for every decoder."""
