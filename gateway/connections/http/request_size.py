"""The size of the HTTP request that a connection is sending, and the bounds of it."""

from collections.abc import Iterable
from typing import Final

from gateway.connections.http.waiting_bytes import WaitingBytes

MAX_HEADER_BYTES: Final = 65_536
"""Bytes of a request that are not its body: its line, its headers, and what chunks add."""

MAX_DRAINED_BYTES: Final = 2**20
"""Bytes of a body that are read after its request was answered, as with a refusal."""

MAX_PIECE_BYTES: Final = 65_536
"""Bytes that are parsed at a time."""

MAX_CHUNKED_PIECE_BYTES: Final = 1024
"""The same of a body in chunks. Each chunk costs a call, also one of a single byte."""


class RequestSize:
    """Counts what has been parsed of the present request.

    Attributes:
        in_body: True from the end of the headers to the end of the request.
        body_parts: the parts of the body in the piece that is parsed.
    """

    def __init__(self) -> None:
        self.in_body = False
        self.body_parts = 0
        # Bytes of the body that are still to come; None for one in chunks.
        self._body_left: int | None = 0
        self._header_bytes = self._drained_bytes = 0

    def begin_body(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Note that the headers are complete."""
        self.in_body = True
        self._body_left = _body_length(headers)

    def add_body(self, size: int) -> None:
        """Count a part of the body."""
        self.body_parts += 1
        if self._body_left is None:
            self._header_bytes -= size
        else:
            self._body_left -= size

    def end(self) -> None:
        """Begin anew with the next request."""
        self.in_body = False
        self._header_bytes = self._drained_bytes = 0

    def cut(self, waiting: WaitingBytes) -> bytes:
        """Take the bytes to parse next, which are of one request."""
        self.body_parts = 0
        if self.in_body and self._body_left:
            return waiting.take(min(self._body_left, MAX_PIECE_BYTES))
        return waiting.take_to_end(MAX_CHUNKED_PIECE_BYTES if self.in_body else MAX_PIECE_BYTES)

    def drain(self, size: int) -> bool:
        """Count bytes of a request that was answered already; True if they are too many."""
        self._drained_bytes += size if self.in_body else 0
        return self._drained_bytes > MAX_DRAINED_BYTES

    def add(self, size: int) -> bool:
        """Count bytes that are about to be parsed; True if the headers are too large."""
        known = self.in_body and self._body_left is not None
        self._header_bytes += 0 if known else size
        # In chunks, what was body is taken off again by `add_body`.
        return self._header_bytes > MAX_HEADER_BYTES + (size if self.in_body else 0)


def _body_length(headers: Iterable[tuple[bytes, bytes]]) -> int | None:
    """Return the length of a request's body; None if it comes in chunks."""
    length = 0
    for name, value in headers:
        if name == b"transfer-encoding":
            return None
        if name == b"content-length":
            length = int(value)
    return length
