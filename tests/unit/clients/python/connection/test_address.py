"""Addresses of servers."""

import pytest

from parley_chat.connection.address import is_loopback, websocket_url


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("http://127.0.0.1:8080", "ws://127.0.0.1:8080/ws"),
        ("https://chat.example/", "wss://chat.example/ws"),
        ("localhost:8080", "ws://localhost:8080/ws"),
        ("ws://[::1]:8080/ws", "ws://[::1]:8080/ws"),
        ("https://example.org/team/chat", "wss://example.org/team/chat/ws"),
        ("wss://example.org/ws?token=a%26b", "wss://example.org/ws?token=a%26b"),
    ],
)
def test_derives_the_websocket(given: str, url: str) -> None:
    """What a person gives becomes the URL of the WebSocket, path and query kept."""
    assert websocket_url(given) == url


def test_names_the_user() -> None:
    """The name goes into the query, escaped, in place of one that stood there."""
    url = websocket_url("ws://h/ws?username=x&durable=1", username="ann & bob")
    assert url == "ws://h/ws?durable=1&username=ann+%26+bob"


@pytest.mark.parametrize("given", ["", "ftp://host", "http://", "http://host:port", "ws://[::1"])
def test_refuses_what_is_no_address(given: str) -> None:
    """What leads nowhere is refused in one sentence that quotes it."""
    with pytest.raises(ValueError, match="is not an address") as refusal:
        websocket_url(given)
    assert repr(given) in str(refusal.value)


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("ws://127.0.0.9:1/ws", True),
        ("ws://[::1]/ws", True),
        ("ws://localhost/ws", True),
        ("ws://192.0.2.1/ws", False),
        ("ws://example.org/ws", False),
    ],
)
def test_knows_this_machine(url: str, *, loopback: bool) -> None:
    """Addresses of this machine are known, as no proxy could lead to them."""
    assert is_loopback(url) is loopback
