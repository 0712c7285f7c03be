"""What a traced process finds on PYTHONPATH: `sitecustomize`, which Python imports at its start."""
