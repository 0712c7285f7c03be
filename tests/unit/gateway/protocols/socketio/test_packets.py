"""Socket.IO 5 packets: the document's examples, round trips, and everything that is malformed."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.protocols.engineio.packets import Binary, PacketError
from gateway.protocols.socketio.decoder import Decoder, SocketPacket
from gateway.protocols.socketio.packets import (
    RESERVED_EVENTS,
    Kind,
    encode_ack,
    encode_connect,
    encode_connect_error,
    encode_disconnect,
    encode_event,
)

B12, B34 = Binary(b"\x01\x02"), Binary(b"\x03\x04")
B1234 = Binary(b"\x01\x02\x03\x04")
EVENT_OR_ACK = {"5": Kind.EVENT, "6": Kind.ACK}
ONE = '{"_placeholder":true,"num":0}'
TWO = '{"_placeholder":true,"num":1}'


class Everything:
    """All namespaces."""

    def __contains__(self, namespace: object) -> bool:
        """True."""
        return True


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
with_binary = st.recursive(
    values | st.binary(max_size=8).map(Binary),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)
namespaces = st.just("/") | st.text(
    st.characters(exclude_characters=",", exclude_categories=["Cs"]), max_size=8
).map("/{}".format)
names = texts.filter(lambda name: name not in RESERVED_EVENTS)
ids = st.none() | st.integers(0, 10**15 - 1)


def read(frames: list[bytes]) -> SocketPacket:
    """Feed a decoder with frames, as the transports deliver them: the last completes a packet."""
    decoder = Decoder(Everything())
    packet = None
    for frame in frames:
        assert packet is None
        packet = decoder.feed(frame if isinstance(frame, Binary) else frame[1:].decode())
    assert packet is not None
    return packet


WRITTEN = [
    (encode_event("foo", []), ['42["foo"]']),
    (encode_event("bar", [], namespace="/admin"), ['42/admin,["bar"]']),
    (encode_event("foo", [], ack_id=12), ['4212["foo"]']),
    (encode_event("baz", [B1234]), [f'451-["baz",{ONE}]', B1234]),
    (
        encode_event("baz", [B12, B34], namespace="/admin"),
        [f'452-/admin,["baz",{ONE},{TWO}]', B12, B34],
    ),
    (encode_event("baz", [{"in": [B12]}], ack_id=0), [f'451-0["baz",{{"in":[{ONE}]}}]', B12]),
    (encode_ack(12, []), ["4312[]"]),
    (encode_ack(13, ["bar"], namespace="/admin"), ['43/admin,13["bar"]']),
    (encode_ack(15, ["bar", B1234]), [f'461-15["bar",{ONE}]', B1234]),
    ([encode_connect("/", {"sid": "wZX3"})], ['40{"sid":"wZX3"}']),
    ([encode_connect("/admin", {"sid": "oSO0"})], ['40/admin,{"sid":"oSO0"}']),
    ([encode_connect_error("/", "Not authorized")], ['44{"message":"Not authorized"}']),
    (
        [encode_connect_error("/admin", "no", {"code": "unauthorized"})],
        ['44/admin,{"message":"no","data":{"code":"unauthorized"}}'],
    ),
    ([encode_disconnect("/")], ["41"]),
    ([encode_disconnect("/admin")], ["41/admin,"]),
]


@pytest.mark.parametrize(("frames", "expected"), WRITTEN)
def test_written_as_in_the_document(frames: list[bytes], expected: list[str | Binary]) -> None:
    """Each type is written as the protocol's document shows it, in an Engine.IO message."""
    plain = [frame if isinstance(frame, Binary) else frame.decode() for frame in frames]

    assert plain == expected


READ = [
    ("0", SocketPacket(Kind.CONNECT)),
    ('0{"token":"123"}', SocketPacket(Kind.CONNECT, auth={"token": "123"})),
    ("0/admin,", SocketPacket(Kind.CONNECT, "/admin")),
    ("0/admin", SocketPacket(Kind.CONNECT, "/admin")),
    ('0/admin,{"token":"123"}', SocketPacket(Kind.CONNECT, "/admin", auth={"token": "123"})),
    ("1", SocketPacket(Kind.DISCONNECT)),
    ("1/admin,", SocketPacket(Kind.DISCONNECT, "/admin")),
    ("1/admin", SocketPacket(Kind.DISCONNECT, "/admin")),
    ('2["foo"]', SocketPacket(Kind.EVENT, name="foo")),
    ('2/admin,["bar"]', SocketPacket(Kind.EVENT, "/admin", name="bar")),
    ('212["foo"]', SocketPacket(Kind.EVENT, id=12, name="foo")),
    ('2/admin,0["foo"]', SocketPacket(Kind.EVENT, "/admin", id=0, name="foo")),
    ("2[7]", SocketPacket(Kind.EVENT, name="7")),
    ("312[]", SocketPacket(Kind.ACK, id=12)),
]


@pytest.mark.parametrize(("text", "packet"), READ)
def test_read_as_in_the_document(text: str, packet: SocketPacket) -> None:
    """Each type is read as the protocol's document shows it."""
    assert Decoder(Everything()).feed(text) == packet


def test_arguments() -> None:
    """The arguments of an event are there as values, and each as its JSON."""
    packet = Decoder().feed('2["foo",1,"2",{"3":[true]}]')

    assert packet is not None
    assert packet.values() == [1, "2", {"3": [True]}]
    assert [bytes(argument) for argument in packet.arguments] == [b"1", b'"2"', b'{"3":[true]}']


def test_binary_event_and_ack() -> None:
    """Attachments take the places of their placeholders, in whatever order those stand."""
    event = read([f'452-/admin,["baz",{TWO},{{"a":[{ONE}]}}]'.encode(), B12, B34])
    ack = read([f'461-15["bar",{ONE}]'.encode(), B1234])

    assert (event.kind, event.namespace, event.name) == (Kind.EVENT, "/admin", "baz")
    assert event.values() == [B34, {"a": [B12]}]
    assert (ack.kind, ack.id, ack.values()) == (Kind.ACK, 15, ["bar", B1234])


@given(names, st.lists(with_binary, max_size=4), namespaces, ids)
def test_event_round_trip(
    name: str, arguments: list[Any], namespace: str, ack_id: int | None
) -> None:
    """An event with anything in it is read as it was written."""
    frames = encode_event(name, arguments, namespace=namespace, ack_id=ack_id)
    if len(frames) > 11:
        return

    packet = read(frames)

    assert (packet.kind, packet.name, packet.id) == (Kind.EVENT, name, ack_id)
    assert packet.namespace == namespace
    assert packet.values() == arguments


@given(names, st.lists(values, max_size=4))
def test_event_is_json_for_others(name: str, arguments: list[Any]) -> None:
    """An event without binary is one frame, which an independent JSON reader understands."""
    (frame,) = encode_event(name, arguments)

    assert frame[:2] == b"42"
    assert json.loads(frame[2:]) == [name, *arguments]


@given(names, st.lists(values, max_size=4), ids)
def test_events_of_others_are_read(name: str, arguments: list[Any], ack_id: int | None) -> None:
    """An event as an independent JSON writer puts it is read, with escapes or without."""
    for ascii_only in (True, False):
        text = json.dumps([name, *arguments], ensure_ascii=ascii_only)
        packet = Decoder().feed(f"2{'' if ack_id is None else ack_id}{text}")
        assert packet is not None
        assert (packet.name, packet.id, packet.values()) == (name, ack_id, arguments)


@given(st.lists(st.text(max_size=40) | st.binary(max_size=4).map(Binary), max_size=4))
@example(["2" + "[" * 10_000])
@example(['2["a",1e999]'])
@example(['2["\\ud800"]'])
@example(['0{"\\udfff":1}'])
@example(['51-["a",{"_placeholder":true,"num":1e999}]', Binary(b"")])
def test_any_messages_are_packets_or_an_error(messages: list[str | Binary]) -> None:
    """Whatever a client sends is read or refused, and nothing else happens."""
    decoder = Decoder()
    try:
        for message in messages:
            packet = decoder.feed(message)
            if packet is not None:
                packet.values()
    except PacketError:
        return


@given(st.sampled_from("0123456"), st.text('0123456789-/,[]{}"\\ua\x1e', max_size=30))
def test_nearly_packets(kind: str, rest: str) -> None:
    """What looks like a packet is one, or refused."""
    try:
        Decoder().feed(kind + rest)
    except PacketError:
        return


MALFORMED = [
    "",
    "abc",
    "7",
    "9[]",
    "-1",
    "0null",
    "0[]",
    '0"token"',
    "0{",
    "0{}x",
    "012{}",
    "1{}",
    "1null",
    "112",
    "2",
    "2/admin,",
    '2/admin["foo"]',
    "2{}",
    "2[]",
    "2null",
    "2[null]",
    "2[true]",
    "2[1.5]",
    "2[{}]",
    "2[[]]",
    '2["foo"',
    '2["foo"]]',
    '2["foo",]',
    '2["foo",NaN]',
    '2["foo",Infinity]',
    "2['foo']",
    '2abc["foo"]',
    '2-1["foo"]',
    '21.5["foo"]',
    '21234567890123456["foo"]',
    '2["foo\x01"]',
    "3",
    "3[]",
    "312",
    "312{}",
    "3abc[]",
    "4",
    '4{"message":"no"}',
    '5["foo"]',
    '5-["foo"]',
    '50-["foo"]',
    '51["foo"]',
    '5x-["foo"]',
    '51.5-["foo"]',
    '5-1-["foo"]',
    f"51-[{ONE}]",
    "51-{}",
    "6",
    f"61-[{ONE}]",
    '511-["foo"]',
    "60-1[]",
    *(f'2["{name}"]' for name in sorted(RESERVED_EVENTS)),
    "2/" + "n" * 300 + ',["foo"]',
    "0" + '{"a":' * 10_000 + "1" + "}" * 10_000,
    '2["foo",' + "[" * 100_000 + "]" * 100_000 + "]",
]


@pytest.mark.parametrize("text", MALFORMED, ids=lambda text: text[:24] or "nothing")
def test_malformed(text: str) -> None:
    """What the protocol does not allow is an error, whatever is wrong with it."""
    with pytest.raises(PacketError):
        Decoder(Everything()).feed(text)


BAD_PLACEHOLDERS = [
    '1-["foo"]',
    f'1-["foo",{TWO}]',
    f'1-["foo",{ONE},{ONE}]',
    f'2-["foo",{ONE}]',
    f'2-["foo",{ONE},{ONE}]',
    '1-["foo",{"_placeholder":true}]',
    '1-["foo",{"_placeholder":true,"num":-1}]',
    '1-["foo",{"_placeholder":true,"num":"0"}]',
    '1-["foo",{"_placeholder":true,"num":0.0}]',
    '1-["foo",{"_placeholder":true,"num":false}]',
    f'1-["foo",{"[" * 64}{ONE}{"]" * 64}]',
]


@pytest.mark.parametrize("text", BAD_PLACEHOLDERS)
def test_placeholders_that_name_no_attachment(text: str) -> None:
    """Who reads a packet's values gets an error unless its attachments have one place each."""
    decoder = Decoder()
    assert decoder.feed("5" + text) is None
    packet = None
    while packet is None:
        packet = decoder.feed(Binary(b"x"))
    with pytest.raises(PacketError):
        packet.values()


def test_nesting() -> None:
    """Arguments may be nested as far as the JSON decoder takes them."""
    deep = "[" * 300 + "]" * 300

    assert Decoder().feed(f'2["foo",{deep},{deep},"{"[" * 500}\\"{"[" * 500}"]') is not None


@pytest.mark.parametrize("kind", "0123456")
def test_packets_for_a_namespace_that_is_not_served(kind: str) -> None:
    """Of a packet for another namespace, nothing but its kind and namespace is read."""
    count = "1-" if kind in "56" else ""
    found = Decoder(served={"/", "/mine"}).feed(f"{kind}{count}/other,12[[[no JSON")
    assert found == SocketPacket(EVENT_OR_ACK.get(kind, Kind(kind)), "/other")
    mine = Decoder(served={"/", "/mine"}).feed('2/mine,["foo",1]')
    assert mine is not None
    assert mine.values() == [1]


def test_number_out_of_range() -> None:
    """A number that no program can hold makes the arguments unreadable, not the program."""
    packet = Decoder().feed('2["foo",1e999]')

    assert packet is not None
    with pytest.raises(PacketError):
        packet.values()


def test_half_a_surrogate_pair() -> None:
    """A text that was cut inside an emoji is read, with U+FFFD for the half that is left."""
    packet = Decoder().feed(r'2["foo","cut \ud83d","\ud83d\ude00","\\ud83d","\udc00x"]')

    assert packet is not None
    assert packet.values() == ["cut \ufffd", "\U0001f600", r"\ud83d", "\ufffdx"]


def test_attachment_that_nobody_announced() -> None:
    """A binary message outside of a packet is an error."""
    with pytest.raises(PacketError):
        Decoder().feed(Binary(b"x"))


def test_text_where_an_attachment_was_to_come() -> None:
    """A packet whose attachments are not complete may not be followed by another."""
    decoder = Decoder()
    decoder.feed(f'51-["foo",{ONE}]')

    with pytest.raises(PacketError):
        decoder.feed('2["foo"]')


def test_what_is_no_json_is_not_written() -> None:
    """An argument that has no JSON is the caller's error."""
    with pytest.raises(TypeError):
        encode_event("foo", [object()])
