"""What goes to clients of each kind of event, byte for byte: clients out there read it."""

# ruff: noqa: E501 - a frame stands in one line

import msgpack
import pytest

from gateway.protocols.announcements import announcements
from gateway.protocols.json_frames import JSON
from gateway.protocols.msgpack_frames import MSGPACK
from gateway.protocols.socketio.frames import SOCKETIO, SOCKETIO_BARE
from gateway.protocols.websocket_frames import payloads
from shared.model.events import Body, CursorMoved, Event, Notice, Unknown
from shared.model.formats import NEWEST
from shared.model.log_events import (
    LOG_EVENTS,
    Banned,
    HistoryCleared,
    Kicked,
    MessageDeleted,
    MessagePosted,
    ModeratorChanged,
    PasswordChanged,
    RoomDeleted,
    Unbanned,
)

OFFSET = "Lifeline.1.7.5"

IN_A_ROOM: list[tuple[Body, list[tuple[str, str]]]] = [
    (
        MessagePosted("7", "hi", "m1"),
        [
            (
                '{"event":"message","room":"general","data":{"id":5120,"seq":5,"prev":4,"room":"general","content":"hi","sender":"7","createdAt":"1970-01-01T00:00:01.005Z"}}',
                '42["message",{"id":5120,"seq":5,"prev":4,"room":"general","content":"hi","sender":"7","createdAt":"1970-01-01T00:00:01.005Z"},"Lifeline.1.7.5"]',
            )
        ],
    ),
    (
        HistoryCleared("ann"),
        [
            (
                '{"event":"deleteMessages","room":"general","data":{"room":"general","seq":5,"prev":4}}',
                '42["deleteMessages",{"room":"general","seq":5,"prev":4},"Lifeline.1.7.5"]',
            ),
            (
                '{"event":"notification","room":"general","data":{"content":"All messages have been deleted","createdAt":1005}}',
                '42["notification",{"content":"All messages have been deleted","createdAt":1005,"room":"general"}]',
            ),
        ],
    ),
    (
        MessageDeleted("ann", 2048, 2),
        [
            (
                '{"event":"messageDeleted","room":"general","data":{"messageId":2048,"seq":5,"prev":4}}',
                '42["messageDeleted",{"messageId":2048,"seq":5,"prev":4,"room":"general"},"Lifeline.1.7.5"]',
            )
        ],
    ),
    (RoomDeleted(""), []),
    (
        Kicked("7", "ann"),
        [
            (
                '{"event":"kicked","room":"general","data":{"room":"general","seq":5,"prev":4,"user":7,"by":"ann"}}',
                '42["kicked",{"room":"general","seq":5,"prev":4,"user":7,"by":"ann"},"Lifeline.1.7.5"]',
            )
        ],
    ),
    (
        Banned("bob", "12"),
        [
            (
                '{"event":"banned","room":"general","data":{"room":"general","seq":5,"prev":4,"user":"bob","by":12}}',
                '42["banned",{"room":"general","seq":5,"prev":4,"user":"bob","by":12},"Lifeline.1.7.5"]',
            )
        ],
    ),
    (
        Unbanned("bob", "ann"),
        [
            (
                '{"event":"unbanned","room":"general","data":{"room":"general","seq":5,"prev":4,"user":"bob","by":"ann"}}',
                '42["unbanned",{"room":"general","seq":5,"prev":4,"user":"bob","by":"ann"},"Lifeline.1.7.5"]',
            )
        ],
    ),
    (
        ModeratorChanged("007", "ann", moderator=True),
        [
            (
                '{"event":"moderatorChanged","room":"general","data":{"room":"general","seq":5,"prev":4,"user":"007","by":"ann","moderator":true}}',
                '42["moderatorChanged",{"room":"general","seq":5,"prev":4,"user":"007","by":"ann","moderator":true},"Lifeline.1.7.5"]',
            )
        ],
    ),
    (
        PasswordChanged("5", protected=True, password_hash="$secret"),
        [
            (
                '{"event":"passwordChanged","room":"general","data":{"room":"general","seq":5,"prev":4,"by":5,"protected":true}}',
                '42["passwordChanged",{"room":"general","seq":5,"prev":4,"by":5,"protected":true},"Lifeline.1.7.5"]',
            )
        ],
    ),
    (
        Unknown("of a newer build"),
        [
            (
                '{"event":"skipped","room":"general","data":{"room":"general","seq":5,"prev":4}}',
                '42["skipped",{"room":"general","seq":5,"prev":4},"Lifeline.1.7.5"]',
            )
        ],
    ),
]
"""Events, and each frame of them in JSON and as a Socket.IO packet."""

IN_A_CHAT: list[tuple[Body, list[tuple[str, str]]]] = [
    (
        MessagePosted("7", "hi", "m1"),
        [
            (
                '{"event":"newMessage","data":{"id":5120,"chatId":7,"seq":5,"prev":4,"senderId":7,"receiverId":"ann","content":"hi","seen":false,"seenAt":null,"createdAt":"1970-01-01T00:00:01.005Z"}}',
                '42["newMessage",{"id":5120,"chatId":7,"seq":5,"prev":4,"senderId":7,"receiverId":"ann","content":"hi","seen":false,"seenAt":null,"createdAt":"1970-01-01T00:00:01.005Z"},"Lifeline.1.7.5"]',
            )
        ],
    ),
    (
        MessageDeleted("ann", 2048, 2),
        [
            (
                '{"event":"messageDeleted","chatId":7,"data":{"messageId":2048,"seq":5,"prev":4}}',
                '42["messageDeleted",{"messageId":2048,"seq":5,"prev":4,"chatId":7},"Lifeline.1.7.5"]',
            )
        ],
    ),
    (
        RoomDeleted(""),
        [
            (
                '{"event":"chatDeleted","data":{"id":7}}',
                '42["chatDeleted",{"id":7},"Lifeline.1.7.5"]',
            )
        ],
    ),
    (
        Unknown("of a newer build"),
        [
            (
                '{"event":"skipped","chatId":7,"data":{"chatId":7,"seq":5,"prev":4}}',
                '42["skipped",{"chatId":7,"seq":5,"prev":4},"Lifeline.1.7.5"]',
            )
        ],
    ),
]

SIGNALS: list[tuple[Body, list[str], list[str]]] = [
    (
        CursorMoved("7", 3, 1, 0, "", "", "", ""),
        ['{"event":"seen","room":"general","data":{"user":7,"seq":3}}'],
        ['{"event":"seen","chatId":7,"data":{"user":7,"seq":3}}'],
    ),
    (
        CursorMoved("7", 3, 1, 99, "", "k", "ann", "7"),
        ['{"event":"seen","room":"general","data":{"user":7,"seq":3}}'],
        ['{"event":"messageSeen","chatId":7,"data":{"messageId":99,"seen":true}}'],
    ),
    (
        Notice("hi"),
        ['{"event":"notification","room":"general","data":{"content":"hi","createdAt":1005}}'],
        [],
    ),
    (Unknown("of a newer build"), [], []),
]
"""What has no place, and its frames in JSON: in a room, and in a chat."""


def happened(body: Body, seq: int = 5) -> Event:
    return Event(NEWEST, 7, 5120, seq, max(seq - 1, 0), 1005, body)


def check(event: Event, frames: list[tuple[str, str]], room: str | None) -> None:
    """Compare what is told of an event with the bytes that it is to be."""
    users = ("ann", "7") if room is None else None
    told = announcements(event, room, users, OFFSET)
    assert [JSON.encode(item.outgoing()).decode() for item in told] == [f for f, _ in frames]
    packets = [SOCKETIO.pack(item.outgoing(), item.offset) for item in told]
    assert [bytes(*payloads(packet)).decode() for packet in packets] == [p for _, p in frames]
    for item in told:
        outgoing = item.outgoing()
        # The same in the same order: both were written by other encoders than ours.
        written = msgpack.unpackb(MSGPACK.encode(outgoing))
        assert JSON.encode(written) == JSON.encode(outgoing)
        assert msgpack.packb(written) == MSGPACK.encode(outgoing)
        bare = bytes(*payloads(SOCKETIO_BARE.pack(outgoing, item.offset)))
        assert bare == bytes(*payloads(SOCKETIO.pack(outgoing, "")))


@pytest.mark.parametrize(("body", "frames"), IN_A_ROOM)
def test_in_a_room(body: Body, frames: list[tuple[str, str]]) -> None:
    """Members of a room are told of each kind of event in these bytes, in all formats."""
    check(happened(body), frames, "general")


@pytest.mark.parametrize(("body", "frames"), IN_A_CHAT)
def test_in_a_chat(body: Body, frames: list[tuple[str, str]]) -> None:
    """The users of a direct chat are told of each kind of event in these bytes."""
    check(happened(body), frames, None)


@pytest.mark.parametrize(("body", "in_room", "in_chat"), SIGNALS)
def test_what_has_no_place(body: Body, in_room: list[str], in_chat: list[str]) -> None:
    """What has no place is told in these bytes; what a newer build signals is not told."""
    event = happened(body, 0)
    for frames, told in (
        (in_room, announcements(event, "general")),
        (in_chat, announcements(event, None, ("ann", "7"))),
    ):
        assert [JSON.encode(item.outgoing()).decode() for item in told] == frames


def test_no_kind_is_left_out() -> None:
    """Every kind of event of a log is looked at above."""
    assert {type(body) for body, _ in IN_A_ROOM} == {*LOG_EVENTS, Unknown}
