"""Setup, start and supervision of a cluster on one machine.

Imports `shared` only, and no other package imports it. `processes` and `servers` are its lowest
layers.
See docs/decisions/001-own-process-supervision.md.
"""
