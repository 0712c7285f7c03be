"""One connection after the other: opening it, frames on it, requests that outlive it.

Stands below the rest of the client; imports `websockets`, and the client's errors and constants.
See docs/topics/clients-inside.md.
"""
