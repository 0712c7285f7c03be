"""The load generator: a process of its own, so that its CPU is not counted as a server's."""
