"""The recipe for a new kind of event, followed (docs/how-to/add-an-event.md)."""
