"""Frames <-> commands and events, without I/O: one module for each format on the wire."""
