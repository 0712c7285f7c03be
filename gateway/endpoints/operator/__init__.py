"""The operator's port of a gateway: status page, metrics, and what acts."""
