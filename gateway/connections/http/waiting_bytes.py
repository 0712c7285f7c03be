"""Bytes of an HTTP connection that wait to be parsed, cut so that no piece has two requests."""

from typing import Final

END: Final = b"\r\n\r\n"
"""The end of a request's head, and of a body in chunks: no request ends anywhere else, but for a
body whose length is known."""


class WaitingBytes:
    """Bytes that were received and not parsed yet."""

    __slots__ = ("_at", "_bytes", "_last")

    def __init__(self) -> None:
        self._bytes = b""
        # Where the bytes begin that were not taken. They are not moved for every small piece.
        self._at = 0
        # The last bytes that were taken: an end may have begun in them.
        self._last = b""

    def __len__(self) -> int:
        return len(self._bytes) - self._at

    def add(self, data: bytes) -> None:
        """Append bytes that were received."""
        self._bytes = self._bytes[self._at :] + data if self else data
        self._at = 0

    def clear(self) -> None:
        """Drop all bytes."""
        self._bytes, self._at = b"", 0

    def take(self, size: int) -> bytes:
        """Take up to `size` bytes."""
        begin, self._at = self._at, min(self._at + size, len(self._bytes))
        piece = self._bytes[begin : self._at]
        self._last = piece[-3:] if len(piece) >= 3 else (self._last + piece)[-3:]  # noqa: PLR2004
        return piece

    def take_to_end(self, size: int) -> bytes:
        """Take up to `size` bytes, and no more than to the next end."""
        begin = self._at
        # An end that began in the bytes taken last has at most three bytes here.
        split = (self._last + self._bytes[begin : begin + 3]).find(END)
        if split >= 0:
            return self.take(split + len(END) - len(self._last))
        end = self._bytes.find(END, begin, begin + size)
        return self.take(size if end < 0 else end + len(END) - begin)
