"""The operator's ports: how a process binds one, and who may make it act there.

Imports `shared.config`, `shared.errors` and `shared.web`.
See docs/operate/run-a-cluster.md and decision 078.
"""
