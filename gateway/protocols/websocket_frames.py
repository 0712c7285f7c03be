"""WebSocket frames on the server's side (RFC 6455), written without I/O; close codes, read."""

from collections.abc import Iterator
from struct import Struct
from typing import Final

from websockets.exceptions import ProtocolError
from websockets.frames import Close, Opcode

from shared.protocol.closes import CloseCode

LENGTH_IN_2_BYTES: Final = 126
"""The value of the 7 bits for the length that says: the length is in the next 2 bytes."""

LENGTH_IN_8_BYTES: Final = 127
"""As above: the length is in the next 8 bytes."""

FIN: Final = 0x80
MAX_CONTROL_PAYLOAD_BYTES: Final = 125
"""Bytes of a control frame's payload (section 5.5)."""

CONTINUATION: Final = Opcode.CONT.value
TEXT: Final = Opcode.TEXT.value
BINARY: Final = Opcode.BINARY.value
CLOSE: Final = Opcode.CLOSE.value
PING: Final = Opcode.PING.value
PONG: Final = Opcode.PONG.value
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
