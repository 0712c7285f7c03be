"""WebSocket frames on the server's side (RFC 6455), read and written without I/O."""

from collections.abc import Iterator
from struct import Struct
from typing import Final, NamedTuple

from websockets.exceptions import ProtocolError
from websockets.frames import Close, Opcode

try:
    from websockets.speedups import apply_mask
except ImportError:  # no wheel for this platform
    from websockets.utils import apply_mask

from shared.protocol.closes import CloseCode

LENGTH_IN_2_BYTES: Final = 126
"""The value of the 7 bits for the length that says: the length is in the next 2 bytes."""

LENGTH_IN_8_BYTES: Final = 127
"""As above: the length is in the next 8 bytes."""

FIN: Final = 0x80
RESERVED: Final = 0x70
MASKED: Final = 0x80
MAX_CONTROL_PAYLOAD_BYTES: Final = 125
"""Bytes of a control frame's payload (section 5.5)."""

MAX_FRAGMENTS: Final = 1024
"""Frames that a message may be split into. Also an empty frame costs time."""

CONTINUATION: Final = Opcode.CONT.value
TEXT: Final = Opcode.TEXT.value
BINARY: Final = Opcode.BINARY.value
CLOSE: Final = Opcode.CLOSE.value
PING: Final = Opcode.PING.value
PONG: Final = Opcode.PONG.value
WHOLE_TEXT: Final = FIN | TEXT
WHOLE: Final = frozenset({WHOLE_TEXT, FIN | BINARY})
"""First bytes of frames that each are a whole message."""

LONGEST_FAST_HEADER_BYTES: Final = 8
"""Bytes of the longest header that `_read_simple_frame` reads."""

CONTROL: Final = frozenset({CLOSE, PING, PONG})
KNOWN: Final = CONTROL | {CONTINUATION, TEXT, BINARY}

_pack_short: Final = Struct(">BB").pack
_pack_medium: Final = Struct(">BBH").pack
_pack_long: Final = Struct(">BBQ").pack


class WebSocketError(Exception):
    """A violation of the protocol by the peer. The connection is to be closed.

    Attributes:
        code: the close code to send.
        text: the text that is not UTF-8; empty if that is not the reason.
    """

    def __init__(self, code: CloseCode, reason: str, text: bytes = b"") -> None:
        super().__init__(reason)
        self.code = code
        self.text = text


class Message(NamedTuple):
    """A whole message, or a control frame.

    Attributes:
        opcode: TEXT, BINARY, CLOSE, PING or PONG.
        data: the payload, unmasked; valid UTF-8 for TEXT.
    """

    opcode: int
    data: bytes


def frame(opcode: int, payload: bytes) -> bytes:
    """Write an unmasked, unfragmented frame, as servers send them."""
    size = len(payload)
    if size < LENGTH_IN_2_BYTES:
        return _pack_short(FIN | opcode, size) + payload
    if size < 1 << 16:
        return _pack_medium(FIN | opcode, LENGTH_IN_2_BYTES, size) + payload
    return _pack_long(FIN | opcode, LENGTH_IN_8_BYTES, size) + payload


def payloads(framed: bytes) -> Iterator[bytes]:
    """Return the payloads of frames that `frame` wrote and that were joined."""
    at = 0
    while at < len(framed):
        size, start = framed[at + 1], at + 2
        if size >= LENGTH_IN_2_BYTES:
            start = at + (4 if size == LENGTH_IN_2_BYTES else 10)
            size = int.from_bytes(framed[at + 2 : start], "big")
        at = start + size
        yield framed[start:at]


def close_frame(code: int | None, reason: str = "") -> bytes:
    """Write a close frame.

    Args:
        code: the close code (section 7.4); None for a frame without a payload.
        reason: a text for people, cut where it is too long for the frame.
    """
    if code is None:
        return frame(CLOSE, b"")
    short = reason.encode()[: MAX_CONTROL_PAYLOAD_BYTES - 2].decode(errors="ignore")
    return frame(CLOSE, Close(code, short).serialize())


def close_code(payload: bytes) -> int | None:
    """Read the code in a peer's close frame; None if it has none.

    Raises:
        WebSocketError: the payload is not valid for a close frame.
    """
    if not payload:
        return None
    try:
        close = Close.parse(payload)
        close.check()
    except UnicodeDecodeError:
        raise WebSocketError(
            CloseCode.INVALID_DATA, "the reason of a close frame is not UTF-8"
        ) from None
    except ProtocolError:
        raise WebSocketError(CloseCode.PROTOCOL_ERROR, "a close frame is not valid") from None
    return close.code


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

    Attributes:
        failure: the client's violation of the protocol, after which no bytes are read; or None.
    """

    __slots__ = ("_buffer", "_fragments", "_limit", "_needed_bytes", "_opcode", "_parts", "failure")

    def __init__(self, limit: int) -> None:
        """Create a reader.

        Args:
            limit: bytes that a message may have.
        """
        self.failure: WebSocketError | None = None
        self._limit = limit
        self._buffer: bytearray | None = None
        # The buffer is read again once it has this many bytes. Without this, a message that comes
        # in 10,000 small pieces would be copied and have its header read 10,000 times.
        self._needed_bytes = 2
        # The fragments of a message so far.
        self._opcode = CONTINUATION
        self._parts: bytearray | None = None
        self._fragments = 0

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Read bytes, and return the messages that they complete, in order.

        A violation of the protocol is put into `failure`; the messages before it are returned.
        """
        messages: list[tuple[int, bytes]] = []
        try:
            if self.failure is None:
                self._read(data, messages)
        except WebSocketError as error:
            self.failure = error
        return messages

    def _read(self, data: bytes, messages: list[tuple[int, bytes]]) -> None:
        if self._buffer is not None:
            self._buffer += data
            if len(self._buffer) < self._needed_bytes:
                return
            data, self._buffer = bytes(self._buffer), None
        position, end = 0, len(data)
        while position < end:
            if self._parts is None and (simple := _read_simple_frame(data, position, self._limit)):
                opcode, payload, position = simple
                messages.append((opcode, payload))
                continue
            header = self._header(data, position)
            if header is None or header[2] + header[1] > end:
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
