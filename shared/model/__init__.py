"""What the system is about, without I/O: ids, commands, events and the timeline."""
