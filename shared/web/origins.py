"""The allow-list of origins (RFC 6454): pages that may connect to a gateway from a browser."""

import re
from collections.abc import Collection, Iterable
from ipaddress import AddressValueError, IPv6Address
from typing import Final, NamedTuple, NoReturn, Self
from urllib.parse import urlsplit

import idna

from shared.addresses import is_loopback, read_address

OWN: Final = "self"
LOOPBACK: Final = "loopback"
ANY: Final = "*"
_WORDS: Final = frozenset({OWN, LOOPBACK, ANY})
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
"""Schemes of the web, and the ports that browsers leave out of an origin."""

_WILDCARD: Final = "*."
_EXAMPLE: Final = "https://chat.example.org"

_PARTS: Final = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<host>[^/?#]*)(?P<rest>.*)")
_OWN_SCHEME_HOST: Final = re.compile(r"[A-Za-z0-9._~-]+(:\d{1,5})?")
"""The host of an origin with a scheme of an application, as in `capacitor://localhost`."""

_IPV6_HOST: Final = re.compile(r"\[(?P<address>[^\]]*)\](?P<port>.*)")
"""An address of IPv6, which browsers shorten as RFC 5952 says, and what follows it."""

_REFUSED: Final = {
    "null": "null is the origin of every sandboxed frame and local file, whoever made it: give the"
    " page an origin of its own",
    "file": "pages of files have no origin of their own, so any file could connect: serve the page"
    " by http://localhost or by a scheme of the application, such as app://",
    "ws": "pages have the origin http:// even where they connect by ws://",
    "wss": "pages have the origin https:// even where they connect by wss://",
}
"""What is no origin that can be allowed, and why."""


class _Wildcard(NamedTuple):
    """All hosts below a domain, as in `https://*.example.org:8443`."""

    scheme: str
    below: str
    port: int | None


class Origins:
    """An allow-list of origins, such as `self,https://chat.example.org,capacitor://localhost`.

    `self` stands for the gateway's own origin and those of `PUBLIC_URL`, `loopback` for every page
    that this machine serves itself, `*` for all. `https://*.example.org` stands for every host
    below that domain, at any depth, and not for the domain itself. Everything else is compared as a
    whole, never by a part.
    """

    __slots__ = ("_allowed", "_own", "_text", "_wildcards")

    def __init__(
        self,
        text: str,
        allowed: Collection[str],
        wildcards: Iterable[_Wildcard],
        own: Collection[str],
    ) -> None:
        self._text = text
        self._own = frozenset(own)
        self._allowed = frozenset(allowed)
        self._wildcards = tuple(wildcards)

    @classmethod
    def parse(cls, text: str, own: Collection[str] = ()) -> Self:
        """Read a list separated by commas.

        Args:
            text: the list.
            own: origins that `self` stands for, beside the one of the request's `Host`.

        Raises:
            ValueError: a part of it is not an origin.
        """
        read = [_read(part) for item in text.split(",") if (part := item.strip())]
        return cls(
            text,
            [each for each in read if isinstance(each, str)],
            [each for each in read if isinstance(each, _Wildcard)],
            own,
        )

    def allow(self, origin: str, host: str) -> bool:
        """Return True if a page of this origin may connect.

        Args:
            origin: the `Origin` header.
            host: the `Host` header of the same request.
        """
        if ANY in self._allowed or (origin not in _WORDS and origin in self._allowed):
            return True
        if _host(origin) is None:
            return False
        parts = urlsplit(origin)
        name = parts.hostname or ""
        if any(
            name.endswith(each.below) and (parts.scheme, parts.port) == (each.scheme, each.port)
            for each in self._wildcards
        ):
            return True
        if origin in self._own or is_own(origin, host):
            return OWN in self._allowed
        return LOOPBACK in self._allowed and is_loopback(name)

    def __str__(self) -> str:
        return self._text


def is_own(origin: str, host: str) -> bool:
    """Return True if an origin is the gateway's own, by the request's `Host` header.

    The scheme is not compared: behind a proxy that ends TLS, a gateway does not know the scheme
    that browsers use.
    """
    return bool(host) and _host(origin) == host.lower()


def read_web_origin(part: str) -> str:
    """Read an origin of http or https as browsers write it; a slash at its end is left out.

    Raises:
        ValueError: it is none. The text says what to write.
    """
    scheme = part.partition("://")[0].lower()
    if scheme not in _DEFAULT_PORTS or _WILDCARD in part:
        _refuse(part, "it begins with http:// or https://, and has one host")
    origin = _read(part if part.endswith("//") else part.removesuffix("/"))
    if isinstance(origin, _Wildcard):
        _refuse(part, "it has one host")
    return origin


def _host(origin: str) -> str | None:
    """The host and port of a page's origin, as in a `Host` header; None if it is not an origin."""
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or port == 0:
        return None
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    host = name if port is None else f"{name}:{port}"
    # An origin is a scheme and a host and nothing else, in lower case as browsers write it. Text
    # that `urlsplit` ignores, such as before and after brackets, makes it invalid.
    return host if origin == f"{parts.scheme}://{host}" else None


def _read(part: str) -> str | _Wildcard:
    """Read a part of the list: an origin as browsers write it, a word, or a wildcard.

    Raises:
        ValueError: it is none of them. The text says what to write.
    """
    if part in _WORDS:
        return part
    found = _PARTS.fullmatch(part)
    scheme = found["scheme"].lower() if found else part.lower()
    if scheme in _REFUSED:
        raise ValueError(f"{part} cannot be allowed: {_REFUSED[scheme]}")
    if found is None:
        _refuse(part, "it needs a scheme")
    if found["rest"]:
        _refuse(part, f"nothing may follow the host, so write {scheme}://{found['host']}")
    if scheme not in _DEFAULT_PORTS:
        if not _OWN_SCHEME_HOST.fullmatch(found["host"]):
            _refuse(part, "after the scheme of an application it needs a host without wildcards")
        return f"{scheme}://{found['host']}"
    if found["host"].startswith(_WILDCARD):
        return _wildcard(part, scheme, found["host"].removeprefix(_WILDCARD))
    return f"{scheme}://{_host_as_browsers_write(part, scheme, found['host'])}"


def _wildcard(part: str, scheme: str, domain: str) -> _Wildcard:
    host = _host_as_browsers_write(part, scheme, domain)
    parts = urlsplit(f"{scheme}://{host}")
    name = parts.hostname or ""
    if "." not in name or read_address(name) is not None:
        _refuse(part, "a wildcard needs a domain of two labels or more behind it")
    return _Wildcard(scheme, f".{name}", parts.port)


def _host_as_browsers_write(part: str, scheme: str, host: str) -> str:
    """A host and port in lower case, ASCII and the shortest form, without the scheme's own port."""
    if "*" in host:
        _refuse(part, "a wildcard is the whole first label of a host, as in https://*.example.org")
    try:
        if literal := _IPV6_HOST.fullmatch(host):
            name, port = f"[{IPv6Address(literal['address'])}]", literal["port"]
        else:
            name, colon, number = host.lower().partition(":")
            port = colon + number
        if not name.isascii():
            name = idna.encode(name, uts46=True).decode()
    except (idna.IDNAError, AddressValueError):
        _refuse(part, "its host is neither a name nor an address")
    written = f"{name}{port}".removesuffix(f":{_DEFAULT_PORTS[scheme]}")
    if _host(f"{scheme}://{written}") is None or "" in name.split("."):
        _refuse(part, "its host or port cannot be")
    return written


def _refuse(part: str, why: str) -> NoReturn:
    raise ValueError(f"{part} is not an origin such as {_EXAMPLE}: {why}")
