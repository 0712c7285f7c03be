"""The allow-list of origins (RFC 6454): pages that may connect to a gateway from a browser."""

from collections.abc import Collection
from typing import Final, Self
from urllib.parse import urlsplit

from shared.addresses import is_loopback

OWN: Final = "self"
LOOPBACK: Final = "loopback"
ANY: Final = "*"
_WORDS: Final = frozenset({OWN, LOOPBACK, ANY})
_SCHEMES: Final = frozenset({"http", "https"})


class Origins:
    """An allow-list of origins, such as `self,https://chat.example.org`.

    `self` stands for the gateway's own origin, `loopback` for every page that this machine
    serves itself, `*` for all. Origins are compared as a whole, never by a part.
    """

    __slots__ = ("_allowed", "_text")

    def __init__(self, text: str, allowed: Collection[str]) -> None:
        self._text = text
        self._allowed = frozenset(allowed)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a list separated by commas.

        Raises:
            ValueError: a part of it is not an origin.
        """
        parts = [part for item in text.split(",") if (part := item.strip())]
        for part in parts:
            if part not in _WORDS and _host(part) is None:
                raise ValueError(f"{part} is not an origin such as https://chat.example.org")
        return cls(text, parts)

    def allow(self, origin: str, host: str) -> bool:
        """Return True if a page of this origin may connect.

        Args:
            origin: the `Origin` header.
            host: the `Host` header of the same request.
        """
        if ANY in self._allowed or (origin not in _WORDS and origin in self._allowed):
            return True
        origin_host = _host(origin)
        if origin_host is None:
            return False
        if is_own(origin, host):
            return OWN in self._allowed
        return LOOPBACK in self._allowed and is_loopback(urlsplit(origin).hostname or "")

    def __str__(self) -> str:
        return self._text


def is_own(origin: str, host: str) -> bool:
    """Return True if an origin is the gateway's own, by the request's `Host` header.

    The scheme is not compared: behind a proxy that ends TLS, a gateway does not know the scheme
    that browsers use.
    """
    return bool(host) and _host(origin) == host.lower()


def _host(origin: str) -> str | None:
    """The host and port of an origin, as in a `Host` header; None if it is not an origin."""
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _SCHEMES or not parts.hostname or port == 0:
        return None
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    host = name if port is None else f"{name}:{port}"
    # An origin is a scheme and a host and nothing else, in lower case as browsers write it. Text
    # that `urlsplit` ignores, such as before and after brackets, makes it invalid.
    return host if origin == f"{parts.scheme}://{host}" else None
