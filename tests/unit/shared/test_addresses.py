"""Whose request it is, and what counts as one client."""

import pytest

from shared.addresses import Networks, is_loopback, peer, rate_limit_address

PROXIES = Networks.parse("127.0.0.0/8, ::1, 10.0.0.0/8")

PEERS = [
    ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),  # no proxy of ours: its word is nothing
    ("127.0.0.1", [], "127.0.0.1"),
    ("127.0.0.1", ["198.51.100.1"], "198.51.100.1"),
    ("127.0.0.1", ["1.2.3.4, 198.51.100.1"], "198.51.100.1"),  # the first one anybody may write
    ("127.0.0.1", ["1.2.3.4", "198.51.100.1"], "198.51.100.1"),
    ("127.0.0.1", ["198.51.100.1, 10.1.2.3"], "198.51.100.1"),  # by way of two proxies
    ("127.0.0.1", ["198.51.100.1:4711"], "198.51.100.1"),
    ("127.0.0.1", ["[2001:db8::7]:4711"], "2001:db8::7"),
    ("::ffff:127.0.0.1", ["198.51.100.1"], "198.51.100.1"),
    ("127.0.0.1", ["nonsense"], "127.0.0.1"),
    ("127.0.0.1", ["198.51.100.1, nonsense, 10.1.2.3"], "10.1.2.3"),
    ("127.0.0.1", ["", ","], "127.0.0.1"),
    ("127.0.0.1", ["999.1.1.1"], "127.0.0.1"),
    (None, ["198.51.100.1"], "local"),  # a Unix socket
]


@pytest.mark.parametrize(("connected", "forwarded", "whose"), PEERS)
def test_peer(connected: str | None, forwarded: list[str], whose: str) -> None:
    """The peer is the last address that no trusted proxy has; garbage is passed over."""
    assert peer(connected, forwarded, PROXIES) == whose


def test_one_client() -> None:
    """All of an IPv6 /64 counts as one client, an IPv4 address as itself."""
    assert rate_limit_address("2001:db8:1:2:3:4:5:6") == rate_limit_address("2001:db8:1:2::1")
    assert rate_limit_address("2001:db8:1:2::1") != rate_limit_address("2001:db8:1:3::1")
    assert rate_limit_address("192.0.2.1") != rate_limit_address("192.0.2.2")
    assert rate_limit_address("local") == "local"


@pytest.mark.parametrize(
    ("host", "so"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("localhost", True),
        ("::1", True),
        ("0.0.0.0", False),  # noqa: S104
        ("::", False),
        ("192.0.2.1", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_loopback(host: str, so: bool) -> None:  # noqa: FBT001
    """Loopback is what only this machine reaches."""
    assert is_loopback(host) is so
