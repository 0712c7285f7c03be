"""The client against a real cluster."""
