"""Attacks, and what they may not bring."""
