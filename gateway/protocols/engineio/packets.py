"""Engine.IO 4 packets and payloads (socket.io/docs/v4/engine-io-protocol), without I/O.

An outgoing packet is finished bytes: a text packet is `bytes` that begin with the digit of its type
(`b"4hello"`), a binary message is `Binary`. Both transports send it unchanged, except that a
polling payload has a `Binary` in base64.
"""

import base64
import binascii
from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

SEPARATOR: Final = b"\x1e"
"""The byte between the packets of a polling payload."""


class PacketType(StrEnum):
    """The type of a packet; its value is the digit on the wire."""

    OPEN = "0"
    CLOSE = "1"
    PING = "2"
    PONG = "3"
    MESSAGE = "4"
    UPGRADE = "5"
    NOOP = "6"


CLOSE: Final = b"1"
PING: Final = b"2"
PROBE: Final = "probe"
PROBED: Final = b"3probe"
NOOP: Final = b"6"


class PacketError(ValueError):
    """Bytes that are not a valid packet. Their connection is to be closed."""


class Binary(bytes):
    """A binary message or attachment; a type of its own, as text packets are bytes, too."""

    __slots__ = ()


class Packet(NamedTuple):
    """A packet of a client; `data` is a text without the digit of its type, or a `Binary`."""

    type: PacketType
    data: str | Binary = ""


class Handshake(msgspec.Struct, frozen=True, rename="camel"):
    """The payload of the open packet; times in milliseconds, `max_payload` in bytes."""

    sid: str
    upgrades: tuple[str, ...]
    ping_interval: int
    ping_timeout: int
    max_payload: int

    def packet(self) -> bytes:
        """Write the open packet."""
        return PacketType.OPEN.encode() + msgspec.json.encode(self)


_TYPES: Final = {kind.value: kind for kind in PacketType}


def decode_packet(data: str | bytes) -> Packet:
    """Read the packet in one WebSocket message: a text, or the bytes of a binary message.

    Raises:
        PacketError: the text begins with no known type.
    """
    if isinstance(data, bytes):
        return Packet(PacketType.MESSAGE, Binary(data))
    kind = _TYPES.get(data[:1])
    if kind is None:
        raise PacketError("unknown packet type")
    return Packet(kind, data[1:])


def count_packets(body: bytes) -> int:
    """Return the number of packets in the body of a POST, without a look at them."""
    return body.count(SEPARATOR) + 1


def decode_payload(body: bytes, max_packets: int) -> list[Packet]:
    """Read the body of a POST: packets, with binary messages in base64.

    Args:
        body: in UTF-8.
        max_packets: packets that the body may hold.

    Raises:
        PacketError: the body is malformed, or holds too many packets.
    """
    if count_packets(body) > max_packets:
        raise PacketError("too many packets in a payload")
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise PacketError("not UTF-8") from None
    return [_decode_text(part) for part in text.split("\x1e")]


def encode_payload(packets: Iterable[bytes]) -> bytes:
    """Write packets as the body of an answer to a poll."""
    return SEPARATOR.join(
        b"b" + base64.b64encode(packet) if isinstance(packet, Binary) else packet
        for packet in packets
    )


def _decode_text(part: str) -> Packet:
    if not part.startswith("b"):
        return decode_packet(part)
    try:
        return Packet(PacketType.MESSAGE, Binary(base64.b64decode(part[1:], validate=True)))
    except (binascii.Error, ValueError):
        raise PacketError("not base64") from None
