"""Addresses: which are loopback, whose word on others is believed, what counts as one client."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, Self

Address = IPv4Address | IPv6Address

NO_ADDRESS: Final = "local"
"""What counts as the address of a peer that has none: one on a Unix socket."""

CLIENT_PREFIX_BITS: Final = 64
"""Bits of an IPv6 address that one client is given by its network; it may use all below."""


class Networks:
    """Addresses and networks, as in `10.0.0.0/8,192.0.2.7`."""

    __slots__ = ("_networks", "_text")

    def __init__(self, text: str, networks: Iterable[IPv4Network | IPv6Network]) -> None:
        self._text = text
        self._networks = tuple(networks)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a list separated by commas.

        Raises:
            ValueError: a part of it is neither an address nor a network.
        """
        parts = [part.strip() for part in text.split(",")]
        return cls(text, [ip_network(part) for part in parts if part])

    def __contains__(self, address: Address) -> bool:
        return any(address in network for network in self._networks)

    def __str__(self) -> str:
        return self._text


def read_address(text: str) -> Address | None:
    """An address as it stands in a header, with a port or without; None for anything else."""
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
    """Whether what listens on a host is reached from this machine only."""
    if host == "localhost":
        return True
    address = read_address(host)
    return address is not None and address.is_loopback


def peer(connected: str | None, forwarded: Iterable[str], trusted: Networks) -> str:
    """Whose request it is.

    Each proxy puts the address that it was connected from behind what it was told itself, so the
    last one that is not a trusted proxy's own is the client's. Before that, anybody may have
    written anything.

    Args:
        connected: the address that the connection comes from, if it has one.
        forwarded: the values of all `X-Forwarded-For` headers.
        trusted: whose word is believed.
    """
    found = read_address(connected or "")
    if found is None:
        return NO_ADDRESS
    forwarded_addresses = [part for value in forwarded for part in value.split(",")]
    while forwarded_addresses and found in trusted:
        previous = read_address(forwarded_addresses.pop())
        if previous is None:
            break  # garbage
        found = previous
    return str(found)


def rate_limit_address(address: str) -> str:
    """What an address counts as: an IPv6 address as its /64, which one client has all of."""
    found = read_address(address)
    if isinstance(found, IPv6Address):
        return str(ip_network((int(found), CLIENT_PREFIX_BITS), strict=False))
    return address
