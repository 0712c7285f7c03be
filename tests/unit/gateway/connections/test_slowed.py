"""Addresses that are slowed down."""

import pytest

from gateway.connections.http.slowed import SlowedAddresses


@pytest.mark.parametrize(
    ("refused", "others", "strangers"),
    [
        ("192.0.2.1", ["192.0.2.1"], ["192.0.2.2"]),
        ("2001:db8::1", ["2001:db8::2", "2001:db8::ffff:0:0:1"], ["2001:db8:0:1::1"]),
    ],
)
async def test_who_is_slowed(refused: str, others: list[str], strangers: list[str]) -> None:
    """A refusal slows down all addresses that a rate counts as one, and no others."""
    slowed = SlowedAddresses()
    assert not slowed.slow(refused)
    assert all(slowed.pause(address) > 0 for address in others)
    assert all(slowed.slow(address) for address in others)
    assert not any(slowed.pause(address) for address in strangers)
