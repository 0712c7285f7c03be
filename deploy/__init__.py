"""How a cluster is set up, started and kept running on one machine.

Imports `shared` only and is imported by nobody; `processes` and `servers` stand below the rest.
See docs/decisions/001-own-process-supervision.md.
"""
