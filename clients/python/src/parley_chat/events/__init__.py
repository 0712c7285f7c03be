"""What a client is told: typed events and answers, and what is known by them.

Imports `connection` only; `reading.py` is the table of the kinds that are known.
See docs/topics/clients-inside.md.
"""
