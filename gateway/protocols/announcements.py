"""Turns events of the model into announcements: the events that clients receive."""

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
    """Return what the members of a room or direct chat receive for an event in it.

    Args:
        event: an event of the room's log, or a signal.
        room: a named room or a direct chat.
        offset: the event's offset for Socket.IO clients; empty for none.
    """
    if room.kind == "direct":
        return announcements(event, None, (room.user1, room.user2), offset)
    return announcements(event, room.name, offset=offset)


def announcements(
    event: Event, room: str | None, users: tuple[str, str] | None = None, offset: str = ""
) -> list[Announcement]:
    """Return what clients receive for an event. Some events have no announcement.

    Args:
        event: an event of a room's log, or a signal.
        room: the name of the event's room; None for a direct chat, or for no room.
        users: the users of the event's direct chat; None for a named room, or for no room.
        offset: the event's offset for Socket.IO clients; empty for none.
    """
    body = event.body
    if isinstance(body, MessagePosted):  # nearly all events are messages
        if users is not None:
            return [Announcement("newMessage", _new_message(event, body, users), offset=offset)]
        return [_message(event, body, room, offset)]
    place = UNSET if room is None else room
    chat = UNSET if users is None else event.room_id
    match body:
        case RoomDeleted():
            gone = Announcement("chatDeleted", ChatDeletedPayload(event.room_id), offset=offset)
            return [] if users is None else [gone]
        case LogEvent(announced_as=announced_as):
            return _log_event_announcements(event, announced_as, place, chat, offset)
        case Unknown() if event.seq:
            # A newer build's kind of event, say number 8. Clients are sent its `seq` and `prev` all
            # the same: without them 9, whose `prev` is 8, would look like a gap, and each client
            # would try to read an 8 that this gateway cannot show.
            return _log_event_announcements(event, SKIPPED, place, chat, offset)
        case _:
            return _signal_announcements(event, place, chat, offset)


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
        False,  # noqa: FBT003 - positional arguments are faster, and this runs for each message
        None,
        iso(event.created_at),
    )


def _log_event_announcements(
    event: Event,
    announced_as: AnnouncedAs,
    room: str | UnsetType,
    chat: int | UnsetType,
    offset: str,
) -> list[Announcement]:
    """Return the announcements of an event of a log, as its kind defines them."""
    place_field, place_value = ("room", room or "") if chat is UNSET else ("chat_id", chat)
    fields = announced_as.payload
    values = (place_value if name == WHERE else _field_value(event, name) for name in fields)
    data = _payload_type(fields, place_field)(*values)
    announced = [Announcement(announced_as.event, data, room, chat, offset=offset)]
    if announced_as.note:
        note = NotificationPayload(announced_as.note, event.created_at)
        announced.append(Announcement("notification", note, room, chat))
    return announced


@cache
def _payload_type(payload: tuple[str, ...], place_field: str) -> Callable[..., object]:
    """Return a payload type with these fields; the room or chat is in the field `place_field`."""
    fields = [place_field if name == WHERE else name for name in payload]
    return msgspec.defstruct("PlacedPayload", fields, bases=(Payload,), frozen=True)


def _field_value(event: Event, name: str) -> object:
    """Return an event's value for a field of its payload."""
    if name in ("seq", "prev"):
        return getattr(event, name)
    value = getattr(event.body, name)
    return user_out(value) if name in user_fields(type(event.body)) else value


def _signal_announcements(
    event: Event, room: str | UnsetType, chat: int | UnsetType, offset: str
) -> list[Announcement]:
    """Return the announcements of an event that is in no log: a notice, typing or a cursor."""
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
