"""The error of a setting, and its text."""

import re


class ConfigError(ValueError):
    """A setting has a value that Parley cannot run with; the text is one sentence for a user."""


def invalid(name: str, value: str, reason: object) -> ConfigError:
    """Make the error of a setting that is not valid, without quoting a secret or a part of one.

    Args:
        name: its environment variable.
        value: what it was set to.
        reason: what is wrong, perhaps in the words of a library, which may quote the value.
    """
    if is_secret(name) or (name.endswith("_URL") and re.search("[@?]", value)):
        return ConfigError(f"{name} is not valid; it is not shown, as it may hold a password")
    return ConfigError(f"{name}={value} is not valid: {reason}")


def is_secret(name: str) -> bool:
    """Return True if the value of a setting is a key that nobody else may know."""
    return name.endswith(("_KEY", "_KEYS", "_SECRET")) and name not in {"TLS_KEY", "JWT_PUBLIC_KEY"}
