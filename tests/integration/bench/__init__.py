"""The bench, against a cluster."""
