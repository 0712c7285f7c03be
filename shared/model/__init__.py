"""The data model, without I/O: ids, commands, events and their changes, rooms, history.

Imports msgspec and its own modules. `log_events.py` is the registry of the events of room logs.
See docs/how-to/add-an-event.md.
"""
