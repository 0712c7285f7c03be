"""What the system is about, without I/O: ids, commands, events and what they change, history.

Imports msgspec and its own modules. `log_events.py` is the registry of what happens in rooms.
See docs/how-to/add-an-event.md.
"""
