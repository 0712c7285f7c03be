"""Access control: identity, authorization rules, room passwords and rate limits.

Imports protocols and `shared`; does not know connections. See docs/topics/security.md.
"""
