"""Processes that are supervised: started, watched, restarted, stopped, and their output.

Imports the cluster's ports and data folder; knows no server by name.
See docs/decisions/001-own-process-supervision.md.
"""
