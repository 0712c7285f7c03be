"""Our events as those of Socket.IO: where payload, place and offset stand."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, UnsetType

from gateway.protocols.announcements import Announcement, typing_announcement
from gateway.protocols.frames import Outgoing
from gateway.protocols.offsets import Offset, Offsets, parse
from gateway.protocols.payloads import MessagePayload, NotificationPayload, SeenPayload
from gateway.protocols.socketio.decoder import Decoder
from gateway.protocols.socketio.frames import SOCKETIO, SOCKETIO_BARE, SocketIOFormat
from gateway.protocols.websocket_frames import payloads
from shared.errors import ChatError
from shared.model import commands

MESSAGE = MessagePayload(5, 2, 1, "general", "hi", "ann", "2026-01-01T00:00:00.000Z")


def sent(wire: SocketIOFormat, told: Announcement) -> list[Any]:
    """The arguments of an event as a client gets them, its name first."""
    (packet,) = payloads(wire.pack(told.outgoing(), told.offset))
    assert packet.startswith(b"42")
    arguments: list[Any] = json.loads(packet[2:])
    return arguments


def test_an_event_of_a_log_ends_with_its_offset() -> None:
    """The payload is the first argument, the offset the last; the room is in the payload."""
    told = Announcement("message", MESSAGE, "general", offset="o")
    assert sent(SOCKETIO, told) == ["message", msgspec.to_builtins(MESSAGE), "o"]
    assert sent(SOCKETIO_BARE, told) == ["message", msgspec.to_builtins(MESSAGE)]


def test_the_place_is_put_into_an_object() -> None:
    """The room or chat that a native frame names beside its data is a member of the payload."""
    note = Announcement("notification", NotificationPayload("x", 1), 'a "room"')
    assert sent(SOCKETIO, note)[1] == {"content": "x", "createdAt": 1, "room": 'a "room"'}
    seen = Announcement("seen", SeenPayload(1, 7), chat_id=5)
    for wire in (SOCKETIO, SOCKETIO_BARE):
        assert sent(wire, seen) == ["seen", {"user": 1, "seq": 7, "chatId": 5}]


def test_the_place_follows_what_is_no_object() -> None:
    """Beside text, a list or a boolean the place is an argument of its own; not where bare."""
    typing = typing_announcement("ann", ["ann"], "general", 7, "o")
    assert sent(SOCKETIO, typing) == ["typing", "ann is typing...", {"room": "general"}, "o"]
    assert sent(SOCKETIO_BARE, typing) == ["typing", "ann is typing..."]
    status = Announcement("passwordStatus", data=True, room="general")
    assert sent(SOCKETIO, status) == ["passwordStatus", True, {"room": "general"}]
    assert sent(SOCKETIO, Announcement("onlineUsers", [1, 2])) == ["onlineUsers", [1, 2]]


def test_replies_and_errors_are_acknowledgements() -> None:
    """A reply has the id of its event; an error stands in `{error}`, or is an `exception`."""
    error = ChatError("not_joined", "join first").payload()
    packets = [
        *payloads(SOCKETIO.pack(Outgoing("reply", id=7, data={"seq": 1}))),
        *payloads(SOCKETIO.pack(Outgoing("error", id=0, data=error))),
        *payloads(SOCKETIO.pack(Outgoing("error", data=error))),
    ]
    assert packets[0] == b'437[{"seq":1}]'
    assert (packets[1][:3], json.loads(packets[1][3:])) == (b"430", [{"error": error}])
    assert json.loads(packets[2][2:]) == ["exception", {"status": "error", **error}]


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ('2["getRooms"]', commands.GetRooms()),
        ('2["getRooms",null]', commands.GetRooms()),
        ('2["leaveRoom","general"]', commands.LeaveRoom(room="general")),
        ('2["leaveRoom",{"room":"general"},"more"]', commands.LeaveRoom(room="general")),
        ('23["userOnline",1]', commands.UserOnline(user_id=1)),
    ],
)
def test_the_first_argument_is_the_data(text: str, command: commands.Command) -> None:
    """An event is read as the command of its first argument, whatever follows."""
    packet = Decoder().feed(text)
    assert packet is not None
    frame = SOCKETIO.parse(packet)
    assert frame.id == (3 if text.startswith("23") else None)
    assert SOCKETIO.command(frame, type(command)) == command


@given(
    text=st.text(),
    room=st.text() | st.just(UNSET),
    size=st.integers(0, 70_000),
    offset=st.sampled_from(["", "life.1.2.3"]),
)
def test_any_payload_is_one_frame_of_valid_json(
    text: str, room: str | UnsetType, size: int, offset: str
) -> None:
    """Whatever a payload says, a client can read it, by WebSocket and by polling alike."""
    note = NotificationPayload(text + "x" * size, 1)
    told = Announcement("notification", note, room, offset=offset)
    name, data, *rest = sent(SOCKETIO, told)
    assert (name, data["content"]) == ("notification", note.content)
    assert rest == ([offset] if offset else [])


@given(st.integers(0, 2**53), st.integers(0, 2**53))
def test_offsets_come_back_as_they_went(room_id: int, seq: int) -> None:
    """What a gateway gives it reads again, and each has a higher count than the one before."""
    offsets = Offsets()
    texts = [offsets.next(room_id, seq), offsets.next(room_id, seq)]
    assert [parse(text) for text in texts] == [
        Offset(offsets.incarnation, count, room_id, seq) for count in (1, 2)
    ]


@given(st.text() | st.none() | st.integers() | st.lists(st.text()))
def test_what_is_no_offset_is_none(text: object) -> None:
    """Anything else that a client shows is not taken for an offset, and nothing breaks."""
    assert parse(text) is None
