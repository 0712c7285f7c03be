"""Who somebody is, what they may do, and how often: identity, rules, passwords, rate limits.

Imports protocols and `shared`; knows no connection. See docs/topics/security.md.
"""
