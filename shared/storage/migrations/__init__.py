"""Schema changes, in order; each file is one."""
