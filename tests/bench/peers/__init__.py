"""Servers that are measured beside ours, as their documentation would have them."""
