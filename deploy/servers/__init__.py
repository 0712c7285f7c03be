"""Redis and the load balancer: finding their programs, configuration, and repair.

Imports `deploy.processes` and the cluster's settings.
See README.md, "Run it your way".
"""
