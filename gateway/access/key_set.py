"""Download of a key set (JWKS): who controls the answer can make anybody's token.

So the address is https, or http on this machine, for redirects too: they may not leave the origin.
The download is bounded in bytes and, from the look-up of the name to the last byte, in time.
Proxies of the environment (`HTTPS_PROXY` and the like) are not used: whoever may set them for other
programs would decide where the keys come from.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final, NamedTuple, Self
from urllib.parse import SplitResult, urljoin, urlsplit

import h11

from shared.addresses import is_loopback

TIMEOUT_SECONDS: Final = 5.0
"""Seconds that a download may take, redirects included."""

MAX_BYTES: Final = 1_048_576
"""Bytes of a key set, at most."""

MAX_REDIRECTS: Final = 3

_PORTS: Final = {"https": 443, "http": 80}
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_OK: Final = 200
_READ_BYTES: Final = 65_536


class KeySetError(Exception):
    """A key set cannot be had; the text says why."""


class Origin(NamedTuple):
    """Origin of the address of a key set.

    Attributes:
        scheme: `https` or `http`.
        host: a name or an address, without brackets.
        port: of TCP.
    """

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Self:
        """The origin of an address that may be asked for keys.

        Raises:
            ValueError: it may not; the text says what it must be.
        """
        parts = _split(url)
        scheme, host = parts.scheme, parts.hostname
        if scheme not in _PORTS or not host or (scheme == "http" and not is_loopback(host)):
            raise ValueError("it must begin with https://, or with http:// and a loopback address")
        if parts.username is not None or parts.password is not None:
            raise ValueError("it must not have a user name or a password")
        return cls(scheme, host, parts.port or _PORTS[scheme])


def _split(url: str) -> SplitResult:
    """Split a URL that can stand in a request as it is.

    Raises:
        ValueError: it cannot.
    """
    if not (url.isascii() and url.isprintable()) or " " in url:
        raise ValueError("it must consist of ASCII characters that are seen, without blanks")
    parts = urlsplit(url)
    if parts.port == 0:
        raise ValueError("it must not have port 0")
    return parts


async def download(url: str) -> bytes:
    """Download a key set.

    Args:
        url: an address that `Origin.of` takes.

    Raises:
        KeySetError: the answer is not one, is too large or too slow, or leads elsewhere.
        OSError: it cannot be reached, or not in time (`TimeoutError`), or its certificate is not
            valid.
    """
    origin = Origin.of(url)
    async with asyncio.timeout(TIMEOUT_SECONDS):
        # In a thread, as it reads all certificates of the machine's authorities.
        is_tls = origin.scheme == "https"
        tls = await asyncio.to_thread(ssl.create_default_context) if is_tls else None
        for _ in range(MAX_REDIRECTS + 1):
            body, location = await _get(origin, url, tls)
            if location is None:
                return body
            url = _same_origin(origin, urljoin(url, location))
    raise KeySetError("it redirects too often")


def _same_origin(origin: Origin, url: str) -> str:
    with suppress(ValueError):
        if Origin.of(url) == origin:
            return url
    raise KeySetError("it redirects to another origin")


async def _get(origin: Origin, url: str, tls: ssl.SSLContext | None) -> tuple[bytes, str | None]:
    """Send one request; return its body, and the address that it redirects to, if it does."""
    reader, writer = await asyncio.open_connection(origin.host, origin.port, ssl=tls)
    try:
        return await _exchange(reader, writer, urlsplit(url))
    except h11.RemoteProtocolError:
        raise KeySetError("its answer is not HTTP") from None
    finally:
        # Not closed in peace: what the server still sends is not wanted.
        writer.transport.abort()


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, url: SplitResult
) -> tuple[bytes, str | None]:
    http = h11.Connection(h11.CLIENT)
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    headers = {"Host": url.netloc, "Accept": "application/json", "Connection": "close"}
    request = h11.Request(method="GET", target=target, headers=[*headers.items()])
    writer.writelines([http.send(request) or b"", http.send(h11.EndOfMessage()) or b""])
    await writer.drain()
    body = bytearray()
    async for event in _events(http, reader):
        if isinstance(event, h11.Response):
            if event.status_code in _REDIRECTS:
                return b"", _location(event)
            if event.status_code != _OK:
                raise KeySetError(f"it answers with status {event.status_code}")
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > MAX_BYTES:
                raise KeySetError(f"it has more than {MAX_BYTES} bytes")
        elif isinstance(event, h11.EndOfMessage):
            break
    return bytes(body), None


async def _events(http: h11.Connection, reader: asyncio.StreamReader) -> AsyncIterator[h11.Event]:
    """The events of an answer, as its bytes arrive."""
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(await reader.read(_READ_BYTES))
        elif isinstance(event, h11.Event):
            yield event
        else:
            raise KeySetError("its answer has ended early")


def _location(response: h11.Response) -> str:
    for name, value in response.headers:
        if name == b"location":
            return bytes(value).decode("latin-1")
    raise KeySetError("it redirects to nowhere")
