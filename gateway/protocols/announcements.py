"""What clients are told of an event."""

from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from gateway.protocols.frames import Outgoing
from gateway.protocols.payloads import (
    ChatDeletedPayload,
    MessagePayload,
    MessageSeenPayload,
    NewMessagePayload,
    NotificationPayload,
    Payload,
    SeenPayload,
    iso,
    user_out,
)
from shared.model.events import CursorMoved, Event, Notice, TypingChanged, Unknown
from shared.model.kinds import SKIPPED, WHERE, AnnouncedAs, LogEvent, user_fields
from shared.model.log_events import MessagePosted, RoomDeleted
from shared.model.rooms import Room


class Announcement(msgspec.Struct, frozen=True):
    """An event for clients.

    Attributes:
        room: the named room it belongs to, beside its data.
        chat_id: the same of a direct chat; of `newMessage` and `chatDeleted` their data says it.
        sheddable: it is worth nothing to a client that lags.
        offset: what a Socket.IO client shows when it comes back; empty for what changes nothing.
    """

    event: str
    data: Any
    room: str | UnsetType = UNSET
    chat_id: int | UnsetType = UNSET
    sheddable: bool = False
    offset: str = ""

    def outgoing(self) -> Outgoing:
        """The frame."""
        return Outgoing(self.event, room=self.room, chat_id=self.chat_id, data=self.data)


def room_announcements(event: Event, room: Room, offset: str) -> list[Announcement]:
    """What those are told who may know of an event in a room or a direct chat.

    Args:
        event: what happened.
        room: where.
        offset: of the event.
    """
    if room.kind == "direct":
        return announcements(event, None, (room.user1, room.user2), offset)
    return announcements(event, room.name, offset=offset)


def announcements(
    event: Event, room: str | None, users: tuple[str, str] | None = None, offset: str = ""
) -> list[Announcement]:
    """What those are told who may know of an event.

    Args:
        event: what happened.
        room: the name of the named room it happened in, if it did in one.
        users: the users of the direct chat it happened in, if it did in one.
        offset: of the event.
    """
    body = event.body
    if isinstance(body, MessagePosted):  # nearly always
        if users is not None:
            return [Announcement("newMessage", _new_message(event, body, users), offset=offset)]
        return [_message(event, body, room, offset)]
    place = UNSET if room is None else room
    chat = UNSET if users is None else event.room_id
    match body:
        case RoomDeleted():
            gone = Announcement("chatDeleted", ChatDeletedPayload(event.room_id), offset=offset)
            return [] if users is None else [gone]
        case LogEvent(announced_as=told):
            return _placed(event, told, place, chat, offset)
        case Unknown() if event.seq:
            return _placed(event, SKIPPED, place, chat, offset)
        case _:
            return _signal(event, place, chat, offset)


def _message(event: Event, body: MessagePosted, room: str | None, offset: str) -> Announcement:
    name, at = room or "", iso(event.created_at)
    payload = MessagePayload(event.id, event.seq, event.prev, name, body.content, body.sender, at)
    return Announcement("message", payload, UNSET if room is None else room, offset=offset)


def _new_message(event: Event, body: MessagePosted, users: tuple[str, str]) -> NewMessagePayload:
    sender = body.sender
    return NewMessagePayload(
        event.id,
        event.room_id,
        event.seq,
        event.prev,
        user_out(sender),
        user_out(users[1] if sender == users[0] else users[0]),
        body.content,
        False,  # noqa: FBT003 - in the order of the fields, which is faster
        None,
        iso(event.created_at),
    )


def _placed(
    event: Event, told: AnnouncedAs, room: str | UnsetType, chat: int | UnsetType, offset: str
) -> list[Announcement]:
    """What is told of an event that has a place in a room or chat, as its kind says it."""
    where, here = ("room", room or "") if chat is UNSET else ("chat_id", chat)
    values = (here if name == WHERE else _value(event, name) for name in told.payload)
    data = _payload_type(told.payload, where)(*values)
    found = [Announcement(told.event, data, room, chat, offset=offset)]
    if told.note:
        note = NotificationPayload(told.note, event.created_at)
        found.append(Announcement("notification", note, room, chat))
    return found


@cache
def _payload_type(payload: tuple[str, ...], where: str) -> Callable[..., object]:
    """A payload with these fields, in which the place is told as `where`."""
    fields = [where if name == WHERE else name for name in payload]
    return msgspec.defstruct("PlacedPayload", fields, bases=(Payload,), frozen=True)


def _value(event: Event, name: str) -> object:
    """What an event says for a field of a payload."""
    if name in ("seq", "prev"):
        return getattr(event, name)
    value = getattr(event.body, name)
    return user_out(value) if name in user_fields(type(event.body)) else value


def _signal(
    event: Event, room: str | UnsetType, chat: int | UnsetType, offset: str
) -> list[Announcement]:
    """What is told of something that has no place."""
    match event.body:
        case Notice(content) if chat is UNSET:
            note = NotificationPayload(content, event.created_at)
            return [Announcement("notification", note, room)]
        case TypingChanged(text):
            return [Announcement("typing", text, room, chat, sheddable=True, offset=offset)]
        case CursorMoved(message_id=message_id) if message_id and chat is not UNSET:
            marked = MessageSeenPayload(message_id, seen=True)
            return [Announcement("messageSeen", marked, chat_id=chat)]
        case CursorMoved(user, seq):
            return [Announcement("seen", SeenPayload(user_out(user), seq), room, chat)]
        case _:
            return []
