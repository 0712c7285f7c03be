"""The reader of a client's WebSocket frames (RFC 6455), without I/O."""

from typing import Final, NamedTuple

try:
    from websockets.speedups import apply_mask
except ImportError:  # no wheel for this platform
    from websockets.utils import apply_mask

from gateway.protocols.websocket_frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    FIN,
    LENGTH_IN_2_BYTES,
    LENGTH_IN_8_BYTES,
    MAX_CONTROL_PAYLOAD_BYTES,
    PING,
    PONG,
    TEXT,
    WebSocketError,
)
from shared.protocol.closes import CloseCode

RESERVED: Final = 0x70
MASKED: Final = 0x80
MAX_FRAGMENTS: Final = 1024
"""Frames that a message may be split into. Also an empty frame costs time."""

MAX_FRAMES_AT_ONCE: Final = 64
"""Frames that one call of `FrameReader.feed` reads. One read of a socket can hold 43,000."""

MAX_BYTES_AT_ONCE: Final = 65_536
"""Bytes after which `FrameReader.feed` begins no further frame."""

WHOLE_TEXT: Final = FIN | TEXT
WHOLE: Final = frozenset({WHOLE_TEXT, FIN | BINARY})
"""First bytes of frames that each are a whole message."""

LONGEST_FAST_HEADER_BYTES: Final = 8
"""Bytes of the longest header that `_read_simple_frame` reads."""

CONTROL: Final = frozenset({CLOSE, PING, PONG})
KNOWN: Final = CONTROL | {CONTINUATION, TEXT, BINARY}


class Message(NamedTuple):
    """A whole message, or a control frame.

    Attributes:
        opcode: TEXT, BINARY, CLOSE, PING or PONG.
        data: the payload, unmasked; valid UTF-8 for TEXT.
    """

    opcode: int
    data: bytes


def _read_simple_frame(data: bytes, at: int, limit: int) -> tuple[int, bytes, int] | None:
    """Read a frame that is a whole message, in ASCII or binary, as nearly all frames are.

    Returns:
        The opcode, the payload and the position after the frame; None for any other frame, valid
        or not, which `_header` and `_take` are for.
    """
    if len(data) < at + LONGEST_FAST_HEADER_BYTES:
        return None
    first, size, start = data[at], data[at + 1] - MASKED, at + 6
    if size == LENGTH_IN_2_BYTES:
        size, start = data[at + 2] << 8 | data[at + 3], at + 8
    elif size < 0 or size == LENGTH_IN_8_BYTES:
        return None
    end = start + size
    if end > len(data) or size > limit or first not in WHOLE:
        return None
    payload = apply_mask(data[start:end], data[start - 4 : start])
    if first == WHOLE_TEXT and not payload.isascii():
        return None
    return first ^ FIN, payload, end


class FrameReader:
    """Assembles messages from a client's bytes, and keeps no more than a message may have.

    A call of `feed` reads a part of the bytes only, if they are many frames: while `more` is true,
    `feed(b"")` goes on.

    Attributes:
        failure: the client's violation of the protocol, after which no bytes are read; or None.
        frames: frames that the last call of `feed` has read, of every kind.
    """

    __slots__ = (
        "_buffer",
        "_fragments",
        "_limit",
        "_needed_bytes",
        "_opcode",
        "_parts",
        "_position",
        "_unread",
        "failure",
        "frames",
    )

    def __init__(self, limit: int) -> None:
        """Create a reader.

        Args:
            limit: bytes that a message may have.
        """
        self.failure: WebSocketError | None = None
        self.frames = 0
        self._limit = limit
        # Bytes of which a part has been read, and the position of the rest.
        self._unread: bytes | None = None
        self._position = 0
        self._buffer: bytearray | None = None
        # The buffer is read again once it has this many bytes. Without this, a message that comes
        # in 10,000 small pieces would be copied and have its header read 10,000 times.
        self._needed_bytes = 2
        # The fragments of a message so far.
        self._opcode = CONTINUATION
        self._parts: bytearray | None = None
        self._fragments = 0

    @property
    def more(self) -> bool:
        """True if there are bytes that `feed(b"")` reads."""
        return self._unread is not None

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Read bytes, and return messages that they complete, in order.

        A violation of the protocol is put into `failure`; the messages before it are returned.
        """
        messages: list[tuple[int, bytes]] = []
        self.frames = 0
        try:
            if self.failure is None:
                self._read(data, messages)
        except WebSocketError as error:
            self.failure = error
        return messages

    def _read(self, data: bytes, messages: list[tuple[int, bytes]]) -> None:
        position = 0
        if self._unread is not None:
            data, position = self._unread + data, self._position
            self._unread = None
        elif self._buffer is not None:
            self._buffer += data
            if len(self._buffer) < self._needed_bytes:
                return
            data, self._buffer = bytes(self._buffer), None
        frames, end, stop = 0, len(data), position + MAX_BYTES_AT_ONCE
        while position < end:
            if frames == MAX_FRAMES_AT_ONCE or position >= stop:
                self._unread, self._position = data, position
                break
            frames += 1
            if self._parts is None and (simple := _read_simple_frame(data, position, self._limit)):
                opcode, payload, position = simple
                messages.append((opcode, payload))
                continue
            header = self._header(data, position)
            if header is None or header[2] + header[1] > end:
                frames -= 1
                self._buffer = bytearray(data[position:])
                self._needed_bytes = (
                    header[2] + header[1] - position if header else len(data) - position + 1
                )
                break
            first, size, start = header
            position = start + size
            payload = apply_mask(data[start:position], data[start - 4 : start])
            message = self._take(first & 0x0F, payload, whole=bool(first & FIN))
            if message is not None:
                messages.append(message)
        self.frames = frames

    def _header(self, data: bytes, at: int) -> tuple[int, int, int] | None:
        """Read a frame's header.

        Returns:
            The first byte, the payload's length and its position; None if bytes are missing.
        """
        if len(data) < at + 2:
            return None
        first, second = data[at], data[at + 1]
        size, start = second & 0x7F, at + 6
        if first & RESERVED or first & 0x0F not in KNOWN:
            raise WebSocketError(
                CloseCode.PROTOCOL_ERROR, "a frame has reserved bits or an unknown opcode"
            )
        if not second & MASKED:
            raise WebSocketError(CloseCode.PROTOCOL_ERROR, "a client's frame is not masked")
        if first & 0x0F in CONTROL and (size > MAX_CONTROL_PAYLOAD_BYTES or not first & FIN):
            raise WebSocketError(
                CloseCode.PROTOCOL_ERROR, "a control frame is too long or fragmented"
            )
        if size > MAX_CONTROL_PAYLOAD_BYTES:
            length_bytes = 2 if size == LENGTH_IN_2_BYTES else 8
            if len(data) < at + 2 + length_bytes:
                return None
            size, start = (
                int.from_bytes(data[at + 2 : at + 2 + length_bytes], "big"),
                start + length_bytes,
            )
        if size + len(self._parts or b"") > self._limit:
            raise WebSocketError(
                CloseCode.MESSAGE_TOO_BIG, f"a message has at most {self._limit} bytes"
            )
        return first, size, start

    def _take(self, opcode: int, payload: bytes, *, whole: bool) -> Message | None:
        """Take a frame, and return the message that it completes, if it completes one."""
        if opcode in CONTROL:
            return Message(opcode, payload)
        if (opcode == CONTINUATION) != (self._parts is not None):
            raise WebSocketError(CloseCode.PROTOCOL_ERROR, "a fragment out of place")
        if not whole or self._parts is not None:
            if self._parts is None:
                self._parts, self._opcode, self._fragments = bytearray(), opcode, 0
            self._parts += payload
            self._fragments += 1
            if self._fragments > MAX_FRAGMENTS:
                raise WebSocketError(
                    CloseCode.POLICY_VIOLATION, f"a message has at most {MAX_FRAGMENTS} fragments"
                )
            if not whole:
                return None
            payload, opcode = bytes(self._parts), self._opcode
            self._parts = None
        if opcode == TEXT and not payload.isascii():
            try:
                payload.decode()
            except UnicodeDecodeError:
                raise WebSocketError(
                    CloseCode.INVALID_DATA, "a text is not UTF-8", payload
                ) from None
        return Message(opcode, payload)
