"""The allow-list of hosts: names and addresses by which a server may be asked.

A page of `http://evil.example` whose name is made to point to this server ("DNS rebinding") is of
the server's own origin to its browser, and may read all answers. Only `Host` tells: it names
`evil.example`. An address or a loopback name cannot be made to point elsewhere.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final, Self
from urllib.parse import urlsplit

from shared.addresses import is_loopback, read_address
from shared.web.origins import read_web_origin

UNSPECIFIED: Final = frozenset({"0.0.0.0", "::", "*", ""})  # noqa: S104 - compared, not bound here
"""What a server listens on to be reached at all addresses of its machine."""

LOCAL_DOMAIN: Final = ".localhost"
"""Names below it are this machine's, to browsers and resolvers (RFC 6761, section 6.3)."""

MISDIRECTED: Final = (
    "this server does not go by the name in the request's Host header: its operator names it in"
    " PUBLIC_URL"
)
"""The refusal of a host that is not allowed, for whoever asked."""

MALFORMED: Final = "a request needs one Host header with a name or an address, and perhaps a port"
"""The refusal of a request whose host cannot be read."""

_HOST: Final = re.compile(r"(?P<name>[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{0,5})?")
"""A `Host` header as clients write it (RFC 9110, section 7.2): names of hosts are in ASCII."""

MAX_HOST_CHARACTERS: Final = 262
"""Characters of a name of the DNS, a dot at its end, and a port."""


class PublicUrls:
    """The URLs by which people reach a server, such as `https://chat.example.org`.

    Attributes:
        origins: the URLs as browsers write the origins of pages.
        names: their hosts, without ports.
        secure_names: those of the hosts that are named with https only.
    """

    __slots__ = ("_text", "names", "origins", "secure_names")

    def __init__(self, text: str, origins: Iterable[str]) -> None:
        self._text = text
        self.origins = frozenset(origins)
        secure = {host for each in self.origins if (host := _host_of(each, "https"))}
        clear = {host for each in self.origins if (host := _host_of(each, "http"))}
        self.names = frozenset(secure | clear)
        self.secure_names = frozenset(secure - clear)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a list separated by commas.

        Raises:
            ValueError: a part of it is not a URL of a server, such as one with a path.
        """
        return cls(
            text, [read_web_origin(part) for item in text.split(",") if (part := item.strip())]
        )

    def __str__(self) -> str:
        return self._text


class Hosts:
    """The hosts that a server answers for: its public ones, and those that nobody can redirect."""

    __slots__ = ("_literals", "_loopback", "_names")

    def __init__(self, public: PublicUrls, listens: Iterable[str]) -> None:
        """Make the list of a server.

        Args:
            public: the URLs by which people reach it.
            listens: the addresses on which it and its load balancer listen.
        """
        listens = [each.lower() for each in listens]
        # Without a public one, the name that the server listens on will do, if it has one.
        self._names = public.names or frozenset(listens) - UNSPECIFIED
        self._loopback = any(each in UNSPECIFIED or is_loopback(each) for each in listens)
        self._literals = not public.names and not all(map(is_loopback, listens))

    def allow(self, name: str) -> bool:
        """Return True if a request for a host, as `host_name` returns it, is answered."""
        if name in self._names:
            return True
        if name.endswith(LOCAL_DOMAIN) or is_loopback(name):
            return self._loopback
        return self._literals and read_address(name) is not None


def host_name(values: Sequence[str]) -> str | None:
    """Return the host that a request asks for: in lower case, without its port and brackets.

    Args:
        values: all `Host` headers of the request.

    Returns:
        None if there is not one, or it is not a host.
    """
    if len(values) != 1 or len(values[0]) > MAX_HOST_CHARACTERS:
        return None
    found = _HOST.fullmatch(values[0].strip(" \t"))
    if found is None:
        return None
    name = found["name"].lower()
    if name.startswith("["):
        return name[1:-1] if read_address(name) else None
    # With a dot at its end, a name is the same one (RFC 3986, section 3.2.2).
    return name.removesuffix(".") or None


def _host_of(origin: str, scheme: str) -> str | None:
    parts = urlsplit(origin)
    return parts.hostname if parts.scheme == scheme else None
