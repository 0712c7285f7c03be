"""Frames and bytes."""

import json
import math

import pytest

from gateway.protocols.json_frames import JSON
from gateway.protocols.msgpack_frames import MSGPACK
from parley_chat.connection.wire import WIRES, BadFrame, Frame, WireName


@pytest.mark.parametrize("name", ["json", "msgpack"])
def test_reads_back_what_it_writes(name: WireName) -> None:
    """A frame that was written is read as the same frame."""
    wire = WIRES[name]
    data = {"room": "général ✓", "n": 2**53 - 1, "list": [None, True, 1.5]}
    frame = wire.decode(
        wire.encode({"event": "x", "data": data, "id": 3, "room": "r", "chatId": 5})
    )
    assert frame == Frame("x", data, 3, "r", 5)


def test_the_server_reads_what_it_writes() -> None:
    """The server's formats, of another library, read the client's frames."""
    sent = {"event": "message", "data": {"room": "r", "content": "é\n"}, "id": 1}
    text, binary = WIRES["json"].encode(sent), WIRES["msgpack"].encode(sent)
    assert isinstance(text, str)
    assert isinstance(binary, bytes)
    assert (JSON.parse(text.encode()).event, JSON.parse(text.encode()).id) == ("message", 1)
    assert (MSGPACK.parse(binary).event, MSGPACK.parse(binary).id) == ("message", 1)


@pytest.mark.parametrize("name", ["json", "msgpack"])
@pytest.mark.parametrize("data", ["\ud800", {"a": object()}])
def test_refuses_what_cannot_be_written(name: WireName, data: object) -> None:
    """Data that no frame can carry is the caller's error, at once."""
    with pytest.raises((ValueError, TypeError)):
        WIRES[name].encode({"event": "x", "data": data})


def test_json_has_no_nan() -> None:
    """A number that JSON does not know is refused."""
    with pytest.raises(ValueError, match="JSON"):
        WIRES["json"].encode({"event": "x", "data": math.nan})


@pytest.mark.parametrize("data", ["", "{", "[]", "{}", json.dumps({"event": 1}), b"\xff"])
def test_json_refuses_what_is_no_frame(data: str | bytes) -> None:
    """Bytes that are no frame of JSON are told apart from frames."""
    with pytest.raises(BadFrame):
        WIRES["json"].decode(data)


@pytest.mark.parametrize("data", ["{}", b"", b"\xc1", b"\x80", b"\x93\x01", b"\x01\x02"])
def test_msgpack_refuses_what_is_no_frame(data: str | bytes) -> None:
    """Bytes that are no frame of MessagePack are told apart from frames."""
    with pytest.raises(BadFrame):
        WIRES["msgpack"].decode(data)
