"""The fault suite: load, faults, and a checker of what the cluster promises. `make chaos`."""
