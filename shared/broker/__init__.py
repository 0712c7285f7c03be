"""The broker, Redis or Valkey: the only package that imports a client for it."""
