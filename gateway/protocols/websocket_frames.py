"""WebSocket frames on the server's side (RFC 6455), without I/O."""

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

SHORT: Final = 126
"""Where a length stands in 7 bits, those from here on say in how many more it stands: 2 bytes."""

LONG: Final = 127
"""As SHORT, in 8 bytes."""

FIN: Final = 0x80
RESERVED: Final = 0x70
MASKED: Final = 0x80
MAX_CONTROL_PAYLOAD_BYTES: Final = 125
"""Bytes of a control frame's payload (section 5.5)."""

MAX_FRAGMENTS: Final = 1024
"""Frames that a message may come in: each costs, also an empty one."""

CONTINUATION: Final = Opcode.CONT.value
TEXT: Final = Opcode.TEXT.value
BINARY: Final = Opcode.BINARY.value
CLOSE: Final = Opcode.CLOSE.value
PING: Final = Opcode.PING.value
PONG: Final = Opcode.PONG.value
WHOLE_TEXT: Final = FIN | TEXT
WHOLE: Final = frozenset({WHOLE_TEXT, FIN | BINARY})
"""First bytes of frames that are a message each."""

LONGEST_FAST_HEADER_BYTES: Final = 8
"""Bytes of the longest header that is read in one step."""

CONTROL: Final = frozenset({CLOSE, PING, PONG})
KNOWN: Final = CONTROL | {CONTINUATION, TEXT, BINARY}

_tiny: Final = Struct(">BB").pack
_short: Final = Struct(">BBH").pack
_long: Final = Struct(">BBQ").pack


class WebSocketError(Exception):
    """What a peer sent breaks the protocol: the connection ends.

    Attributes:
        code: what the peer is told.
    """

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Message(NamedTuple):
    """A whole message, or a control frame.

    Attributes:
        opcode: TEXT, BINARY, CLOSE, PING or PONG.
        data: of a text, valid UTF-8.
    """

    opcode: int
    data: bytes


def frame(opcode: int, payload: bytes) -> bytes:
    """An unmasked, unfragmented frame, as servers send them."""
    size = len(payload)
    if size < SHORT:
        return _tiny(FIN | opcode, size) + payload
    if size < 1 << 16:
        return _short(FIN | opcode, SHORT, size) + payload
    return _long(FIN | opcode, LONG, size) + payload


def payloads(framed: bytes) -> Iterator[bytes]:
    """The payloads of frames that `frame` made, one behind the other."""
    at = 0
    while at < len(framed):
        size, start = framed[at + 1], at + 2
        if size >= SHORT:
            start = at + (4 if size == SHORT else 10)
            size = int.from_bytes(framed[at + 2 : start], "big")
        at = start + size
        yield framed[start:at]


def close_frame(code: int | None, reason: str = "") -> bytes:
    """A close frame; without a code it has no payload.

    Args:
        code: what a peer is told (section 7.4), or None.
        reason: for people; what of it fits.
    """
    if code is None:
        return frame(CLOSE, b"")
    short = reason.encode()[: MAX_CONTROL_PAYLOAD_BYTES - 2].decode(errors="ignore")
    return frame(CLOSE, Close(code, short).serialize())


def close_code(payload: bytes) -> int | None:
    """The code in a peer's close frame, None where there is none.

    Raises:
        WebSocketError: the payload is none of a close frame.
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


def _plain(data: bytes, at: int, limit: int) -> tuple[int, bytes, int] | None:
    """Read what nearly every frame is, a whole message in ASCII, in one step.

    Returns:
        Its opcode, its payload and where it ends; None for everything else, good or bad.
    """
    if len(data) < at + LONGEST_FAST_HEADER_BYTES:
        return None
    first, size, start = data[at], data[at + 1] - MASKED, at + 6
    if size == SHORT:
        size, start = data[at + 2] << 8 | data[at + 3], at + 8
    elif size < 0 or size == LONG:
        return None
    end = start + size
    if end > len(data) or size > limit or first not in WHOLE:
        return None
    payload = apply_mask(data[start:end], data[start - 4 : start])
    if first == WHOLE_TEXT and not payload.isascii():
        return None
    return first ^ FIN, payload, end


class FrameReader:
    """Puts messages together from a client's bytes. Nothing longer than the limit is kept.

    Attributes:
        failure: what was wrong with the bytes, after which no more are read; None so far.
    """

    __slots__ = ("_buffer", "_fragments", "_limit", "_need", "_opcode", "_parts", "failure")

    def __init__(self, limit: int) -> None:
        """Begin.

        Args:
            limit: bytes of a message at the most.
        """
        self.failure: WebSocketError | None = None
        self._limit = limit
        self._buffer: bytearray | None = None
        # Bytes that the buffer must have before it is worth a look.
        self._need = 2
        # A message that came in fragments so far.
        self._opcode = CONTINUATION
        self._parts: bytearray | None = None
        self._fragments = 0

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Take bytes as they came, and return what they completed, in order: each a `Message`.

        What breaks the protocol ends up in `failure`, once all before it was returned.
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
            if len(self._buffer) < self._need:
                return
            data, self._buffer = bytes(self._buffer), None
        position, end = 0, len(data)
        while position < end:
            if self._parts is None and (plain := _plain(data, position, self._limit)):
                opcode, payload, position = plain
                messages.append((opcode, payload))
                continue
            header = self._header(data, position)
            if header is None or header[2] + header[1] > end:
                self._buffer = bytearray(data[position:])
                self._need = (
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
        """The first byte, the payload's length and where it begins; None if not all is there."""
        if len(data) < at + 2:
            return None
        first, second = data[at], data[at + 1]
        size, start = second & 0x7F, at + 6
        if first & RESERVED or first & 0x0F not in KNOWN:
            raise WebSocketError(CloseCode.PROTOCOL_ERROR, "reserved bits or opcode")
        if not second & MASKED:
            raise WebSocketError(CloseCode.PROTOCOL_ERROR, "a client's frame is not masked")
        if first & 0x0F in CONTROL and (size > MAX_CONTROL_PAYLOAD_BYTES or not first & FIN):
            raise WebSocketError(
                CloseCode.PROTOCOL_ERROR, "a control frame is too long or fragmented"
            )
        if size > MAX_CONTROL_PAYLOAD_BYTES:
            more = 2 if size == SHORT else 8
            if len(data) < at + 2 + more:
                return None
            size, start = int.from_bytes(data[at + 2 : at + 2 + more], "big"), start + more
        if size + len(self._parts or b"") > self._limit:
            raise WebSocketError(
                CloseCode.MESSAGE_TOO_BIG, f"a message has at most {self._limit} bytes"
            )
        return first, size, start

    def _take(self, opcode: int, payload: bytes, *, whole: bool) -> Message | None:
        """Take a frame; the message that it completes, if it does."""
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
                raise WebSocketError(CloseCode.INVALID_DATA, "a text is not UTF-8") from None
        return Message(opcode, payload)
