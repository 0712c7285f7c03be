"""The broker, Redis or Valkey: the only package that imports a client for it.

`rooms` and `sessions` stand on `partitions`, these on `transport`; imports codec and model.
See docs/topics/failover.md.
"""
