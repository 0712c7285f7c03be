"""Network addresses: lists of networks, loopback, and a client's address behind proxies."""

from collections.abc import Iterable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    collapse_addresses,
    ip_address,
    ip_network,
)
from typing import Final, Self

Address = IPv4Address | IPv6Address

NO_ADDRESS: Final = "local"
"""The address of a peer that has none, such as one on a Unix socket."""

CLIENT_PREFIX_BITS: Final = 64
"""Bits of an IPv6 prefix. A network gives a /64 to one client, who may use all addresses in it."""


class Networks:
    """A list of addresses and networks, such as `10.0.0.0/8,192.0.2.7`."""

    __slots__ = ("_networks", "_text")

    def __init__(self, text: str, networks: Iterable[IPv4Network | IPv6Network]) -> None:
        self._text = text
        self._networks = tuple(networks)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a list separated by commas.

        Raises:
            ValueError: a part of it is neither an address nor a network, or together they are all
                addresses, so that nobody's own address would count.
        """
        parts = [part.strip() for part in text.split(",")]
        found = cls(text, [ip_network(part) for part in parts if part])
        if found.covers_everything:
            raise ValueError(
                "it covers all addresses, so anybody could write any address into X-Forwarded-For:"
                " name your proxies only"
            )
        return found

    @property
    def covers_everything(self) -> bool:
        """True if all addresses of IPv4, or of IPv6, are in it, as in `0.0.0.0/1,128.0.0.0/1`."""
        fours = [each for each in self._networks if isinstance(each, IPv4Network)]
        sixes = [each for each in self._networks if isinstance(each, IPv6Network)]
        return any(
            each.prefixlen == 0
            for merged in (collapse_addresses(fours), collapse_addresses(sixes))
            for each in merged
        )

    def __contains__(self, address: Address) -> bool:
        return any(address in network for network in self._networks)

    def __str__(self) -> str:
        return self._text


def read_address(text: str) -> Address | None:
    """Parse an address from a header, with a port or without; None for anything else."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def is_loopback(host: str) -> bool:
    """Return True if a server that listens on `host` is reached from this machine only."""
    if host == "localhost":
        return True
    address = read_address(host)
    return address is not None and address.is_loopback


def peer(connected: str | None, forwarded: Iterable[str], trusted: Networks) -> str:
    """The address of the client that sent a request.

    Each proxy appends the address of its own peer to `X-Forwarded-For`. So the last address that is
    not a trusted proxy's is the client's. The client may have written any addresses before it.

    Args:
        connected: the address of the connection's peer; None if it has none.
        forwarded: the values of all `X-Forwarded-For` headers.
        trusted: addresses of proxies whose header is believed.
    """
    found = read_address(connected or "")
    if found is None:
        return NO_ADDRESS
    if found not in trusted:
        return str(found)
    forwarded_addresses = [part for value in forwarded for part in value.split(",")]
    while forwarded_addresses and found in trusted:
        previous = read_address(forwarded_addresses.pop())
        if previous is None:
            break  # not an address
        found = previous
    return str(found)


def rate_limit_address(address: str) -> str:
    """The address under which rates are counted: the /64 of an IPv6 address, else itself."""
    found = read_address(address)
    if isinstance(found, IPv6Address):
        return str(ip_network((int(found), CLIENT_PREFIX_BITS), strict=False))
    return address
