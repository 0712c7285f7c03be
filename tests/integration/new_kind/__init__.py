"""The recipe for a new kind of event, followed (docs/topics/architecture.md)."""
