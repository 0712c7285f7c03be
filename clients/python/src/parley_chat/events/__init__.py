"""Typed events and answers, and the state that follows from them.

Imports `connection` only; `reading.py` is the table of the kinds that are known.
See docs/topics/clients-inside.md.
"""
