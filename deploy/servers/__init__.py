"""The servers beside ours: which Redis and which load balancer run, and how they are configured.

Imports `deploy.processes` and the cluster's settings.
See README.md, "Run it your way".
"""
