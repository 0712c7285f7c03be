"""Stand-ins for packages that tests and linters install and that a running cluster does not have.

Libraries of ours load them where they are, a fifth of the start of a process. The folder stands in
the PYTHONPATH of what tests start, see `tests.support.process`.
"""
