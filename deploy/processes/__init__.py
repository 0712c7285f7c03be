"""Supervision of processes: start, probes, restart, stop, and output.

Imports the cluster's ports and data folder. No server is named here.
See docs/decisions/001-own-process-supervision.md.
"""
