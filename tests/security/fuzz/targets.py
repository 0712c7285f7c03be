"""What reads bytes of strangers. Each target raises only where a decoder did what it may not.

A decoder answers bytes with what they say, or with an error of its own; and what it makes of them
is no larger than they are, give or take.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

import msgspec

from gateway.api.actions import EVENTS
from gateway.protocols.engineio.errors import EngineError, parse_query
from gateway.protocols.engineio.packets import Binary, Packet, PacketError, decode_payload
from gateway.protocols.frames import Format
from gateway.protocols.json_frames import JSON
from gateway.protocols.msgpack_frames import MSGPACK
from gateway.protocols.offsets import parse as parse_offset
from gateway.protocols.socketio.decoder import Decoder, SocketPacket
from gateway.protocols.socketio.frames import SOCKETIO
from gateway.protocols.websocket_reader import FrameReader
from shared.addresses import Networks, peer
from shared.codec import CodecError, decode
from shared.errors import ChatError
from shared.model.commands import Command
from shared.protocol.limits import DEFAULT_FRAME_BYTES
from shared.web.origins import Origins

CODES: Final = frozenset({"bad_frame", "bad_request", "too_long"})
MAX_GROWTH: Final = 64
"""Bytes of Python objects that a byte of input may become; a number in a list takes 36."""

MAX_MESSAGE: Final = 1000
"""Characters of an error: it does not say again all that it was sent."""

Target = Callable[[bytes], None]


def json_frames(data: bytes) -> None:
    """A text frame of `/ws`, its data read as that of every event."""
    _frame(JSON, data)


def msgpack_frames(data: bytes) -> None:
    """A binary frame of `/ws`, likewise."""
    _frame(MSGPACK, data)


def socketio_payload(data: bytes) -> None:
    """The body of a POST to `/socket.io/`: packets, and packets in them."""
    try:
        packets = decode_payload(data, 1000)
    except PacketError:
        return
    with suppress(PacketError):
        for packet in _socketio_packets(packets):
            packet.values()
            _frame(SOCKETIO, packet)


def websocket_bytes(data: bytes) -> None:
    """Bytes of a connection that was upgraded, all at once and one by one."""
    whole, reader = FrameReader(DEFAULT_FRAME_BYTES), FrameReader(DEFAULT_FRAME_BYTES)
    told = whole.feed(data)
    while whole.more:
        told += whole.feed(b"")
    by_byte = [message for byte in data for message in reader.feed(bytes((byte,)))]
    assert told == by_byte
    assert (whole.failure and whole.failure.code) == (reader.failure and reader.failure.code)
    assert sum(len(payload) for _, payload in told) <= len(data)


def envelopes(data: bytes) -> None:
    """An event as Redis has it."""
    with suppress(CodecError):
        decode(data)


def addresses(data: bytes) -> None:
    """What stands in an address or a header: a query, an offset, where one comes from."""
    text = data.decode("latin-1")
    with suppress(EngineError):
        parse_query(data)
    parse_offset(text)
    networks, origins = Networks.parse("127.0.0.1"), Origins.parse("self,loopback")
    assert peer("127.0.0.1", [text], networks)
    assert peer(text, [], networks)
    origins.allow(text, "127.0.0.1")
    assert not origins.allow(f"http://127.0.0.1{text}.evil.example", "127.0.0.1")


TARGETS: Final[Mapping[str, Target]] = {
    target.__name__: target
    for target in (
        json_frames,
        msgpack_frames,
        socketio_payload,
        websocket_bytes,
        envelopes,
        addresses,
    )
}


def _frame(wire: Format, data: Any) -> None:  # noqa: ANN401 - as the format's `parse` takes it
    try:
        frame = wire.parse(data)
    except ChatError as error:
        _check(error)
        return
    for entry in EVENTS.values():
        command = _command(wire, frame, entry.command)
        if command is not None and isinstance(data, bytes):
            assert _size(msgspec.to_builtins(command)) <= 4096 + MAX_GROWTH * len(data)


def _command(wire: Format, frame: Any, kind: type[Command]) -> Command | None:  # noqa: ANN401
    try:
        return wire.command(frame, kind)
    except ChatError as error:
        _check(error)
        return None


def _check(error: ChatError) -> None:
    assert error.code in CODES
    assert 0 < len(error.message) < MAX_MESSAGE


def _socketio_packets(packets: list[Packet]) -> Iterator[SocketPacket]:
    decoder = Decoder()
    for packet in packets:
        message = packet.data
        assert isinstance(message, (str, Binary))
        if (found := decoder.feed(message)) is not None:
            yield found


def _size(value: object) -> int:
    if isinstance(value, dict):
        return sum(_size(key) + _size(item) for key, item in value.items())
    return sys.getsizeof(value)
