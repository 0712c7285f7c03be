"""Checks of the text of a URL, before a library reads it."""

import re
from typing import Final
from urllib.parse import urlsplit

from shared.config.errors import ConfigError

_DELIMITERS: Final = "@/?#[]"
"""Characters that end a part of a URL (RFC 3986, section 2.2), and so cannot stand in a password.

Libraries cut the URL there: a part of the password becomes the host, a path or nothing at all.
"""


def check_password(name: str, url: str) -> None:
    """Check that the user name and password of a URL are percent-encoded.

    Args:
        name: the setting that has the URL.
        url: a URL with a host.

    Raises:
        ConfigError: a character ends them too early. The text names it, and shows nothing else.
    """
    rest = url.partition("://")[2]
    head, _, query = rest.partition("?")
    # An `@` in a query is a part of a value there, unless what precedes it is no query.
    address = head if "=" in query.partition("@")[0] else rest
    credentials, _, host = address.rpartition("@")
    raw = re.search(f"[{re.escape(_DELIMITERS)}]", credentials) or re.search("#", host)
    if raw:
        raise ConfigError(
            f"{name} has a raw {raw[0]} in its user name or password, which ends it there:"
            f" percent-encode it, as %{ord(raw[0]):02X}"
        )


def scheme_of(url: str) -> str:
    """The scheme of a URL, in lower case; empty where it has none."""
    scheme, separator, _ = url.partition("://")
    return scheme.lower() if separator else ""


def host_of(url: str, port: int) -> str:
    """The host and port of a URL, for people: nothing that may be secret.

    Args:
        url: a URL that can be read.
        port: where it names none.
    """
    parts = urlsplit(url)
    host = parts.hostname or "127.0.0.1"
    return f"{f'[{host}]' if ':' in host else host}:{parts.port or port}"


def without_secrets(url: str) -> str:
    """A URL to show to an operator: the user name, password and options are left out."""
    scheme, separator, rest = url.partition("://")
    rest, mark, _ = rest.partition("?")
    _, at, address = rest.rpartition("@")
    shown = f"***@{address}" if at else address
    return f"{scheme}{separator}{shown}{'?***' if mark else ''}"
