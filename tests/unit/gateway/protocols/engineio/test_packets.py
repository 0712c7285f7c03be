"""Engine.IO 4 packets and payloads, and the answers to requests that are none of the protocol."""

import base64
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.protocols.engineio.errors import EngineError, ErrorCode, Request, check, parse_query
from gateway.protocols.engineio.packets import (
    Binary,
    Handshake,
    Packet,
    PacketError,
    PacketType,
    decode_packet,
    decode_payload,
    encode_payload,
)

SID = "gateway-1.abc"
texts = st.text(st.characters(exclude_characters="\x1e", exclude_categories=["Cs"]), max_size=20)
messages = st.one_of(texts, st.binary(max_size=20).map(Binary))


def wired(message: str | Binary) -> bytes:
    """Write a message as this server sends it."""
    return message if isinstance(message, Binary) else f"4{message}".encode()


@pytest.mark.parametrize("kind", PacketType)
def test_each_type_is_read_from_its_digit(kind: PacketType) -> None:
    """A packet is its type's digit and then its data, on a WebSocket and in a payload."""
    assert decode_packet(f"{kind.value}probe") == Packet(kind, "probe")
    assert decode_packet(kind.value) == Packet(kind, "")
    assert decode_payload(kind.value.encode() + b"x", 1) == [Packet(kind, "x")]


def test_binary_message() -> None:
    """A binary WebSocket message is a message packet as it is; in a payload it is base64."""
    message = Packet(PacketType.MESSAGE, Binary(b"\x01\x02\x03\x04"))

    assert decode_packet(b"\x01\x02\x03\x04") == message
    assert decode_payload(b"4hello\x1ebAQIDBA==", 2) == [
        Packet(PacketType.MESSAGE, "hello"),
        message,
    ]
    assert encode_payload([b"4hello", Binary(b"\x01\x02\x03\x04")]) == b"4hello\x1ebAQIDBA=="


@given(st.lists(messages, min_size=1, max_size=8))
def test_payload_round_trip(sent: list[str | Binary]) -> None:
    """What is written into a payload is read from it, in order."""
    read = decode_payload(encode_payload([wired(message) for message in sent]), len(sent))

    assert read == [Packet(PacketType.MESSAGE, message) for message in sent]
    assert [type(packet.data) for packet in read] == [type(message) for message in sent]


@given(st.binary(max_size=60))
@example(b"")
@example(b"7")
@example(b"4a\x1e")
@example(b"b####")
@example(b"bAAA")
@example("b\N{SNOWMAN}".encode())
def test_any_body_is_packets_or_an_error(body: bytes) -> None:
    """Whatever a POST holds is read as packets or refused, and nothing else happens."""
    try:
        packets = decode_payload(body, 5)
    except PacketError:
        return
    assert 0 < len(packets) <= 5


@pytest.mark.parametrize("body", [b"", b"abc", b"7", b"4a\x1e", b"b!", b"bAAA", b"\xff", b"\x1e"])
def test_malformed_payload(body: bytes) -> None:
    """A body with anything but packets in it is refused whole."""
    with pytest.raises(PacketError):
        decode_payload(body, 10)


def test_packets_in_a_payload_are_bounded() -> None:
    """A payload holds so many packets and no more."""
    assert len(decode_payload(b"\x1e".join([b"4"] * 10), 10)) == 10
    with pytest.raises(PacketError):
        decode_payload(b"\x1e".join([b"4"] * 11), 10)


def test_base64_is_what_any_library_reads() -> None:
    """Every byte survives a payload, as an independent decoder reads it."""
    every = bytes(range(256))

    assert base64.b64decode(encode_payload([Binary(every)])[1:]) == every


def test_handshake_is_the_open_packet_of_the_document() -> None:
    """The open packet's payload has the document's five keys, times in milliseconds."""
    packet = Handshake("lv_VI97H", ("websocket",), 25000, 20000, 1000000).packet()

    assert packet[:1] == b"0"
    assert json.loads(packet[1:]) == {
        "sid": "lv_VI97H",
        "upgrades": ["websocket"],
        "pingInterval": 25000,
        "pingTimeout": 20000,
        "maxPayload": 1000000,
    }


def asked(query: str, method: str = "GET", *, upgrade: bool = False, origin: str = "") -> Request:
    """Make a request with this query."""
    return Request(method, parse_query(query.encode()), upgrade, origin)


REFUSED = [
    (asked(""), None, 0, "Transport unknown"),
    (asked("EIO=4&transport=abc"), None, 0, "Transport unknown"),
    (asked("EIO=4&transport=webtransport", upgrade=True), None, 0, "Transport unknown"),
    (asked("EIO=4&transport=polling&sid=x"), None, 1, "Session ID unknown"),
    (asked("EIO=4&transport=polling&sid=x", "POST"), None, 1, "Session ID unknown"),
    (asked("EIO=4&transport=websocket&sid=x", upgrade=True), None, 1, "Session ID unknown"),
    (asked("EIO=4&transport=polling", "POST"), None, 2, "Bad handshake method"),
    (asked("EIO=4&transport=polling", "PUT"), None, 2, "Bad handshake method"),
    (asked("EIO=4&transport=websocket"), None, 3, "Bad request"),
    (asked("EIO=4&transport=polling", upgrade=True), None, 3, "Bad request"),
    (asked(f"EIO=4&transport=polling&sid={SID}"), "websocket", 3, "Bad request"),
    (asked(f"EIO=4&transport=websocket&sid={SID}"), "polling", 3, "Bad request"),
    (asked(f"EIO=4&transport=websocket&sid={SID}"), "websocket", 3, "Bad request"),
    (asked(f"EIO=3&transport=polling&sid={SID}"), "polling", 3, "Bad request"),
    (asked(f"transport=websocket&sid={SID}", upgrade=True), "polling", 3, "Bad request"),
    (asked(f"EIO=4&transport=polling&sid={SID}", "DELETE"), "polling", 3, "Bad request"),
    (asked("EIO=4&transport=polling", origin="http://a\x01"), None, 3, "Bad request"),
    (asked("transport=polling"), None, 5, "Unsupported protocol version"),
    (asked("EIO=3&transport=polling"), None, 5, "Unsupported protocol version"),
    (asked("EIO=abc&transport=websocket", upgrade=True), None, 5, "Unsupported protocol version"),
]


@pytest.mark.parametrize(("request_", "current", "code", "message"), REFUSED)
def test_refused_requests(request_: Request, current: str | None, code: int, message: str) -> None:
    """Each way to be wrong has its code and text."""
    with pytest.raises(EngineError) as raised:
        check(request_, current)  # type: ignore[arg-type]

    assert json.loads(raised.value.body()) == {"code": code, "message": message}
    assert raised.value.status == 400


@pytest.mark.parametrize(
    ("request_", "current"),
    [
        (asked("EIO=4&transport=polling"), None),
        (asked("EIO=3&EIO=4&transport=polling&t=xyz"), None),
        (asked("EIO=4&transport=polling", origin="http://ours.example"), None),
        (asked("EIO=4&transport=websocket", upgrade=True), None),
        (asked(f"EIO=4&transport=polling&sid={SID}"), "polling"),
        (asked(f"EIO=4&transport=polling&sid={SID}", "POST"), "polling"),
        (asked(f"EIO=4&transport=websocket&sid={SID}", upgrade=True), "polling"),
    ],
)
def test_requests_in_order(request_: Request, current: str | None) -> None:
    """A handshake, and a request of a session on its transport, are taken."""
    check(request_, current)  # type: ignore[arg-type]


def test_endless_query() -> None:
    """A query with absurdly many parameters is a bad request."""
    with pytest.raises(EngineError) as raised:
        parse_query(b"&".join([b"a=1"] * 1000))

    assert raised.value.code is ErrorCode.BAD_REQUEST
