"""The client's parts without I/O."""
