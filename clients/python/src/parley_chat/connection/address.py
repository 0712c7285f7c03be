"""Addresses as people write them, and the WebSocket URLs they stand for."""

from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

SCHEMES: Final = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


def websocket_url(given: str, **parameters: str) -> str:
    """Return the WebSocket URL of an address.

    Args:
        given: `http(s)://host:port`, `ws(s)://host:port/ws` or `host:port`. A path in front of
            `/ws` and a query are kept.
        parameters: What its query has, in place of what it had under the same names.

    Raises:
        ValueError: it is not such an address; the text is one sentence for a person.
    """
    split = _split(given)
    path = split.path.rstrip("/")
    query = parse_qsl(split.query, keep_blank_values=True)
    query = [(name, value) for name, value in query if name not in parameters]
    query += parameters.items()
    return SplitResult(
        scheme=SCHEMES[split.scheme],
        netloc=split.netloc,
        path=path if path.endswith("/ws") else f"{path}/ws",
        query=urlencode(query),
        fragment="",
    ).geturl()


def is_loopback(url: str) -> bool:
    """Return whether a URL leads to this machine, which no proxy could reach."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _split(given: str) -> SplitResult:
    try:
        split = urlsplit(given if "://" in given else f"http://{given}")
        split.port  # noqa: B018 - reading it is how urllib checks it
    except ValueError as error:
        raise ValueError(f"{given!r} is not an address: {error}") from None
    if split.scheme not in SCHEMES or not split.hostname:
        raise ValueError(f"{given!r} is not an address such as http://127.0.0.1:8080")
    return split
