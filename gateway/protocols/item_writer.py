"""Encoding of the items of a page, one by one, until the bytes of the page are full."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

SEPARATOR_BYTES = 1
"""Bytes between two items in JSON."""


class ItemWriter:
    """Encodes the items of one page, each once, in the format of the client that gets it.

    An item is embedded in the frame as it is (`msgspec.Raw`), so what is counted is what is sent.

    Attributes:
        is_full: True once an item did not fit.
    """

    __slots__ = ("_encode", "_left", "_written", "is_full")

    def __init__(self, encode: Callable[[Any], bytes], max_bytes: int) -> None:
        """Begin a page.

        Args:
            encode: encodes an item in the client's format.
            max_bytes: bytes of all items. The first item may have more.
        """
        self.is_full = False
        self._encode = encode
        self._left = max_bytes
        self._written = 0

    def write(self, item: object) -> msgspec.Raw | None:
        """Encode the next item; None if it does not fit, after which none does."""
        if self.is_full:
            return None
        encoded = self._encode(item)
        self._left -= len(encoded) + SEPARATOR_BYTES
        if self._left < 0 and self._written:
            self.is_full = True
            return None
        self._written += 1
        return msgspec.Raw(encoded)

    def write_all(self, items: Iterable[object]) -> list[Any]:
        """Encode items from the first on, as many as fit."""
        written = []
        for item in items:
            if (encoded := self.write(item)) is None:
                break
            written.append(encoded)
        return written
