"""Commands of an operator: what a persister does once, in place of storing, and then ends.

Imports what is below `persister.__main__`. See docs/operate.
"""
