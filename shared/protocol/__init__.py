"""The constants of the protocol: error codes, close codes and limits.

Server, clients and reference take them from here: `make generate` writes the constants of both
client libraries and the pages of `docs/reference`. Imports nothing, so everything may use it.
"""
