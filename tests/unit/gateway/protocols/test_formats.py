"""Frames in JSON and MessagePack, checked against independent encoders."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import msgpack
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.api.actions import EVENTS
from gateway.protocols.announcements import announcements
from gateway.protocols.frames import Format, Frame, Outgoing
from gateway.protocols.json_frames import JSON
from gateway.protocols.msgpack_frames import MSGPACK
from gateway.protocols.payloads import AcceptedPayload, message_payload
from shared.errors import ChatError
from shared.model.commands import Command, GetRooms, History, LeaveRoom, SendMessage, SetUsername
from shared.model.events import Event
from shared.model.timeline import message_of
from tests.support.events import (
    cleared,
    created,
    deleted,
    dropped,
    events,
    message,
    seen,
)


class Wire(NamedTuple):
    """A format of ours beside an independent one."""

    format: Format
    dump: Callable[[Any], bytes]
    load: Callable[[bytes], Any]


WIRES = [
    Wire(JSON, lambda value: json.dumps(value).encode(), json.loads),
    Wire(MSGPACK, msgpack.packb, msgpack.unpackb),
]
both = pytest.mark.parametrize("wire", WIRES, ids=["json", "msgpack"])
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
fields = st.sampled_from(["room", "name", "username", "content", "after", "before", "limit"])


def read(wire: Wire, frame: object, kind: type[Command]) -> Command:
    return wire.format.command(wire.format.parse(wire.dump(frame)), kind)


def take(format_: Format, data: bytes) -> None:
    """Read a frame as each command there is: every time a command or a ChatError."""
    frame = _or_code(lambda: format_.parse(data))
    if not isinstance(frame, Frame):
        assert frame in {"bad_frame", "bad_request"}
        return
    for entry in EVENTS.values():
        command = _or_code(partial(format_.command, frame, entry.command))
        assert command == "bad_request" or isinstance(command, entry.command)


def _or_code(work: Callable[[], object]) -> object:
    try:
        return work()
    except ChatError as error:
        return error.code


@given(st.binary(max_size=300))
@example(b"")
@example(b"\xff")
@example(b'{"event":"\xff"}')
@example(b'{"event":"message","data":"\\ud800"}')
@example(b'{"event":"history","data":{"room":"a","before":' + b"9" * 5000 + b"}}")
@example(b'{"event":"x","id":' + b"9" * 5000 + b"}")
@example(b'{"event":"x","data":' + b"[" * 60_000)
@example(b'{"event":"x","other":' + b"[" * 60_000)
@example(b'{"event":"x","data":NaN}')
@example(b'{"event":"x","data":1e999}')
def test_any_bytes_as_json(data: bytes) -> None:
    """Any bytes of a client are commands or a ChatError, and never another exception."""
    take(JSON, data)


@given(st.binary(max_size=300))
@example(b"")
@example(b"\xc1")
@example(b"\x82\xa5event\xa1\xff\xa4data\xc0")
@example(b"\x82\xa5event\xa1x\xa4data\xa1\xff")
@example(b"\x82\xa5event\xa1x\xa4data" + b"\x91" * 60_000)
@example(b"\x82\xa5event\xa1x\xa5other" + b"\x91" * 60_000)
@example(b"\x82\xa5event\xa1x\xa4data\xd6\xff\x00\x00\x00\x00")
@example(b"\x82\xa5event\xa1x\xa4data\xdd\xff\xff\xff\xff")
def test_any_bytes_as_msgpack(data: bytes) -> None:
    """Any bytes of a client are commands or a ChatError, and never another exception."""
    take(MSGPACK, data)


@both
@given(event=st.sampled_from(sorted(EVENTS)), data=plain | st.dictionaries(fields, plain))
def test_any_data(wire: Wire, event: str, data: object) -> None:
    """Well-formed frames with any data are commands or a ChatError."""
    take(wire.format, wire.dump({"event": event, "data": data, "id": 1}))


@both
@given(data=st.data())
def test_damaged_frames(wire: Wire, data: st.DataObject) -> None:
    """A good frame with one byte changed is a command or a ChatError."""
    good = {"event": "message", "data": {"room": "a", "content": "größe"}, "id": 7}
    whole = bytearray(wire.dump(good))
    whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    take(wire.format, bytes(whole))


@both
def test_object_form(wire: Wire) -> None:
    """A command is read from an object with its fields in camel case."""
    data = {"room": "general", "content": "hi", "clientMsgId": "m1"}
    command = read(wire, {"event": "message", "data": data}, SendMessage)
    assert command == SendMessage(room="general", content="hi", client_msg_id="m1")


@both
@pytest.mark.parametrize("event", ["setUsername", "leaveRoom", "deleteMessages"])
def test_bare_form(wire: Wire, event: str) -> None:
    """Where a bare value is accepted, it says the same as the object."""
    kind = EVENTS[event].command
    assert kind.bare is not None
    bare = read(wire, {"event": event, "data": "general"}, kind)
    assert bare == read(wire, {"event": event, "data": {kind.bare: "general"}}, kind)
    assert getattr(bare, kind.bare) == "general"


@both
@pytest.mark.parametrize("name", ["", "x" * 257, "a\x00"])
def test_bare_form_is_checked(wire: Wire, name: str) -> None:
    """A bare value is held to the same rules as the field it stands for."""
    with pytest.raises(ChatError) as caught:
        read(wire, {"event": "setUsername", "data": name}, SetUsername)
    assert caught.value.code == "bad_request"


@both
def test_no_data(wire: Wire) -> None:
    """Where every field may be left out, data may be null or missing; else it may not."""
    for frame in ({"event": "getRooms"}, {"event": "getRooms", "data": None}):
        assert read(wire, frame, GetRooms) == GetRooms()
        with pytest.raises(ChatError):
            read(wire, frame, LeaveRoom)


@both
@pytest.mark.parametrize("request_id", [None, 0, -1, 2**53, "a", "", "x" * 128])
def test_request_ids(wire: Wire, request_id: int | str | None) -> None:
    """An id is a whole number that JavaScript holds or a short text, or none."""
    assert wire.format.parse(wire.dump({"event": "x", "id": request_id})).id == request_id


@both
@pytest.mark.parametrize("request_id", [2**53 + 1, 1.5, "x" * 129, True, [], {}])
def test_request_ids_that_are_refused(wire: Wire, request_id: object) -> None:
    """Anything else as an id is a bad frame."""
    with pytest.raises(ChatError) as caught:
        wire.format.parse(wire.dump({"event": "x", "id": request_id}))
    assert caught.value.code == "bad_frame"


@both
@pytest.mark.parametrize(
    "frame", [[], "x", 1, None, {}, {"event": ""}, {"event": 1}, {"event": "x" * 65}]
)
def test_frames_that_are_none(wire: Wire, frame: object) -> None:
    """What is no object with an event is a bad frame."""
    with pytest.raises(ChatError) as caught:
        wire.format.parse(wire.dump(frame))
    assert caught.value.code == "bad_frame"


@both
def test_error_names_the_field(wire: Wire) -> None:
    """The error of a bad field says where it stands."""
    data = {"room": "general", "limit": 5000}
    with pytest.raises(ChatError, match=r"data\.limit"):
        read(wire, {"event": "history", "data": data}, History)


@both
@given(event=st.text(max_size=9), room=st.none() | st.text(max_size=9), data=plain)
def test_what_goes_out(wire: Wire, event: str, room: str | None, data: object) -> None:
    """An independent reader sees the fields of a frame, and none that were not given."""
    outgoing = Outgoing(event, data=data) if room is None else Outgoing(event, room=room, data=data)
    expected = {"event": event, "data": data} | ({} if room is None else {"room": room})
    assert wire.load(wire.format.encode(outgoing)) == expected


@both
def test_reply_goes_out_in_camel_case(wire: Wire) -> None:
    """The reply to a send carries id, seq and createdAt."""
    data = AcceptedPayload(5, 1, "2026-01-01T00:00:00.000Z")
    assert wire.load(wire.format.encode(Outgoing("reply", id=3, data=data))) == {
        "event": "reply",
        "id": 3,
        "data": {"id": 5, "seq": 1, "createdAt": "2026-01-01T00:00:00.000Z"},
    }


@both
def test_message_goes_out(wire: Wire) -> None:
    """A message is told with its id, its place, the place before it, and ISO 8601 time."""
    [told] = announcements(message(2), "general")
    sent = wire.load(wire.format.encode(told.outgoing()))
    assert sent == {
        "event": "message",
        "room": "general",
        "data": {
            "id": 2048,
            "seq": 2,
            "prev": 1,
            "room": "general",
            "content": "hello",
            "sender": "ann",
            "createdAt": "1970-01-01T00:00:01.002Z",
        },
    }


@both
def test_clearing_goes_out(wire: Wire) -> None:
    """A clearing is told as `deleteMessages` with its place, then as a notification."""
    told = announcements(cleared(3), "general")
    sent = [wire.load(wire.format.encode(item.outgoing())) for item in told]
    place = {"room": "general", "seq": 3, "prev": 2}
    note = {"content": "All messages have been deleted", "createdAt": 1003}
    assert sent == [
        {"event": "deleteMessages", "room": "general", "data": place},
        {"event": "notification", "room": "general", "data": note},
    ]


def test_creation_is_not_told() -> None:
    """A creation is no event for the members of a room."""
    assert announcements(created("general"), "general") == []


@both
def test_tombstone_goes_out_without_content(wire: Wire) -> None:
    """A deleted message in history keeps its place and says nothing."""
    found = message_of(message(2, "secret"))
    assert found is not None
    gone = message_payload(type(found)(**{**_fields(found), "deleted": True}), "general")
    sent = wire.load(wire.format.encode(Outgoing("reply", data=gone)))["data"]
    assert sent["deleted"] is True
    assert (sent["seq"], sent["prev"]) == (2, 1)
    assert "content" not in sent
    assert "sender" not in sent


PAIR = ("ann", "7")


@both
@pytest.mark.parametrize(("sender", "receiver"), [("ann", 7), ("7", "ann")])
def test_message_of_a_chat_goes_out(wire: Wire, sender: str, receiver: int | str) -> None:
    """A chat's message names both users, decimal ones as integers, and is not seen yet."""
    body = replace(message(2).body, sender=sender)
    [told] = announcements(replace(message(2), body=body), None, PAIR)
    assert wire.load(wire.format.encode(told.outgoing())) == {
        "event": "newMessage",
        "data": {
            "id": 2048,
            "chatId": 7,
            "seq": 2,
            "prev": 1,
            "senderId": int(sender) if sender == "7" else sender,
            "receiverId": receiver,
            "content": "hello",
            "seen": False,
            "seenAt": None,
            "createdAt": "1970-01-01T00:00:01.002Z",
        },
    }


@both
def test_deletion_goes_out(wire: Wire) -> None:
    """A deletion of one message is told with its room's name or its chat's id beside it."""
    data = {"messageId": 2048, "seq": 5, "prev": 4}
    [in_chat] = announcements(deleted(5, 2), None, PAIR)
    [in_room] = announcements(deleted(5, 2), "general")
    sent = [wire.load(wire.format.encode(item.outgoing())) for item in (in_chat, in_room)]
    assert sent == [
        {"event": "messageDeleted", "chatId": 7, "data": data},
        {"event": "messageDeleted", "room": "general", "data": data},
    ]


@both
def test_move_of_a_cursor_goes_out(wire: Wire) -> None:
    """A move is told as `seen`; one by marking a message as `messageSeen`; one in a room too."""
    move = seen("7", 1, 3)
    marking = replace(move, body=replace(move.body, message_id=3072))
    told = [
        *announcements(move, None, PAIR),
        *announcements(marking, None, PAIR),
        *announcements(move, "general"),
    ]
    assert [wire.load(wire.format.encode(item.outgoing())) for item in told] == [
        {"event": "seen", "chatId": 7, "data": {"user": 7, "seq": 3}},
        {"event": "messageSeen", "chatId": 7, "data": {"messageId": 3072, "seen": True}},
        {"event": "seen", "room": "general", "data": {"user": 7, "seq": 3}},
    ]


@both
def test_end_of_a_chat_goes_out(wire: Wire) -> None:
    """The end of a chat is told with its id."""
    [told] = announcements(dropped(7), None, PAIR)
    sent = wire.load(wire.format.encode(told.outgoing()))
    assert sent == {"event": "chatDeleted", "data": {"id": 7}}


@given(events)
def test_any_event_can_be_told(event: Event) -> None:
    """Whatever happens, in a room, in a chat or to all, is told in both formats or not at all."""
    event = replace(event, created_at=event.created_at % 10**14)  # before the year 5139
    for told in (
        announcements(event, "general"),
        announcements(event, None),
        announcements(event, None, PAIR),
    ):
        for item in told:
            for wire in WIRES:
                assert wire.load(wire.format.encode(item.outgoing()))["event"] == item.event


def _fields(value: object) -> dict[str, Any]:
    return {name: getattr(value, name) for name in type(value).__annotations__}
