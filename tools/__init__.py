"""Programs that developers and `make` run on this checkout; no part of a running cluster."""
