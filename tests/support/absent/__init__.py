"""Packages that tests and linters bring along, and that no process of ours finds where it runs.

Libraries of ours load them where they are, a fifth of the start of a process. The folder stands in
the PYTHONPATH of what tests start, see `tests.support.process`.
"""
