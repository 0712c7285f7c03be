"""Proof of what Parley promises."""
