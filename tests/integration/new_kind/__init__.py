"""The recipe for a new kind of event, followed (docs/architecture.md)."""
