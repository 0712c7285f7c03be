"""A folder for PYTHONPATH of a traced process, with `sitecustomize`, which Python imports first."""
