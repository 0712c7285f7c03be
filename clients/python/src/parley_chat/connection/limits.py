"""The limits of the server, and the refusal of messages beyond them."""

from typing import Final

import msgspec

from parley_chat.connection.wire import Data
from parley_chat.constants import (
    DEFAULT_CONTENT_CHARACTERS,
    DEFAULT_FRAME_BYTES,
    MAX_CONTENT_BYTES_PER_CHARACTER,
)
from parley_chat.errors import ChatError

HALF_A_PAIR: Final = "a text has half of a surrogate pair: a character was cut in two"


class Limits:
    """Limits of the server.

    Attributes:
        max_content: Characters that a message may have.
        max_frame: Bytes that a request may have.
        known: Whether a server has said them; else they are what every server takes.
    """

    def __init__(self) -> None:
        self.max_content = DEFAULT_CONTENT_CHARACTERS
        self.max_frame = DEFAULT_FRAME_BYTES
        self.known = False

    def take(self, welcome: dict[str, Data]) -> None:
        """Learn them from the data of a `welcome`."""
        self.max_content = welcome.get("maxContent", DEFAULT_CONTENT_CHARACTERS)
        self.max_frame = welcome.get("maxFrame", DEFAULT_FRAME_BYTES)
        self.known = True

    def check_content(self, content: str) -> None:
        """Check the text of a message, as the server would.

        Raises:
            ChatError: `bad_request` or `too_long`.
        """
        if not content:
            raise ChatError("bad_request", "a message has at least one character")
        if "\0" in content:
            raise ChatError("bad_request", "a text cannot hold NUL")
        try:
            content.encode()
        except UnicodeEncodeError:
            raise ChatError("bad_request", HALF_A_PAIR) from None
        if self.known and len(content) > self.max_content:
            raise ChatError("too_long", f"a message has at most {self.max_content} characters")
        max_bytes = self.max_content * MAX_CONTENT_BYTES_PER_CHARACTER
        is_long = self.known and len(content) * 6 > max_bytes
        if is_long and len(msgspec.json.encode(content)) - 2 > max_bytes:
            raise ChatError("too_long", f"a message has at most {max_bytes} bytes in JSON")

    def check_frame(self, size: int) -> None:
        """Check the size of a frame, as a larger one would end the connection.

        Args:
            size: Bytes of the frame.

        Raises:
            ChatError: `too_long`.
        """
        if size > self.max_frame:
            raise too_large(size)


def too_large(size: int) -> ChatError:
    """Return the error of a request with so many bytes."""
    return ChatError("too_long", f"a request has {size} bytes, more than the server takes")
