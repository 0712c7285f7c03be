"""Access to the broker, Redis or Valkey. No other package imports a Redis client.

`rooms` and `sessions` build on `partitions`, and `partitions` on `transport`. Imports the codec and
the model.
See docs/topics/failover.md.
"""
