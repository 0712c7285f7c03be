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
from shared.model.events import CursorMoved, Event, Notice, Unknown, typing_text
from shared.model.fields import UserId
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
        users: who is typing, beside the data of `typing`.
    """

    event: str
    data: Any
    room: str | UnsetType = UNSET
    chat_id: int | UnsetType = UNSET
    sheddable: bool = False
    offset: str = ""
    users: list[UserId] | list[str] | UnsetType = UNSET

    def outgoing(self) -> Outgoing:
        """The frame."""
        return Outgoing(self.event, self.room, self.chat_id, UNSET, self.data, self.users)


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
            return _signal_announcements(event, place, chat)


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


def typing_announcement(
    last: str, users: list[str], room: str | None, chat_id: int, offset: str
) -> Announcement:
    """Return what a client receives when it changes who is typing.

    Args:
        last: the user who typed last; empty for nobody.
        users: all who are typing.
        room: the name of the room; None for a direct chat.
        chat_id: the id of the direct chat.
        offset: the offset for Socket.IO clients.
    """
    text = typing_text(last)
    # Not the end: without it a client that reads slowly would show "ann is typing..." for good.
    sheddable = bool(users)
    if room is not None:
        return Announcement("typing", text, room, UNSET, sheddable, offset, users)
    in_chat = [user_out(user) for user in users]
    return Announcement("typing", text, UNSET, chat_id, sheddable, offset, in_chat)


def _signal_announcements(
    event: Event, room: str | UnsetType, chat: int | UnsetType
) -> list[Announcement]:
    """Return the announcements of an event that is in no log: a notice or a cursor."""
    match event.body:
        case Notice(content) if chat is UNSET:
            note = NotificationPayload(content, event.created_at)
            return [Announcement("notification", note, room)]
        case CursorMoved(message_id=message_id) if message_id and chat is not UNSET:
            marked = MessageSeenPayload(message_id, seen=True)
            return [Announcement("messageSeen", marked, chat_id=chat)]
        case CursorMoved(user, seq):
            return [Announcement("seen", SeenPayload(user_out(user), seq), room, chat)]
        case _:
            return []
