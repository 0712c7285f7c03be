"""What clients are sent: the payload of each event, and how events of the model become them."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from shared.model.events import (
    Event,
    HistoryCleared,
    MessagePosted,
    Notice,
    TypingChanged,
)
from shared.model.rooms import Room
from shared.model.timeline import Message

Announcement = tuple[str, Any]
"""The name of an event and its payload."""


def iso(milliseconds: int) -> str:
    """ISO 8601 in UTC with milliseconds, as JavaScript writes it."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Payload(msgspec.Struct, frozen=True, rename="camel"):
    """A payload; its fields go out in this order, in camel case."""


class MessagePayload(Payload, frozen=True, omit_defaults=True):
    """`message`, and an item of history. A deleted one keeps its place and says nothing."""

    id: int
    seq: int
    prev: int
    room: str
    content: str | UnsetType = UNSET
    sender: str | UnsetType = UNSET
    created_at: str | UnsetType = UNSET
    deleted: bool = False


class NotificationPayload(Payload, frozen=True):
    """`notification`; `created_at` is in milliseconds, as the seed's clients expect."""

    content: str
    created_at: int


class ClearedPayload(Payload, frozen=True):
    """`deleteMessages`."""

    room: str
    seq: int
    prev: int


class RoomCreatedPayload(Payload, frozen=True):
    """`roomCreated`, and the reply to `createRoom`."""

    id: int
    name: str
    protected: bool
    created_at: str


class RoomPayload(Payload, frozen=True):
    """An item of `rooms`."""

    name: str
    protected: bool


class AcceptedPayload(Payload, frozen=True):
    """The reply to a send."""

    id: int
    seq: int
    created_at: str


class JoinedPayload(Payload, frozen=True):
    """The reply to `joinRoom`."""

    room: str
    head: int
    epoch: int


class HistoryPayload(Payload, frozen=True):
    """The reply to `history`."""

    items: list[MessagePayload]
    head: int
    partial: bool


def message_payload(message: Message, room: str) -> MessagePayload:
    """A message of the room named `room`."""
    if message.deleted:
        return MessagePayload(
            message.id,
            message.seq,
            message.prev,
            room,
            created_at=iso(message.created_at),
            deleted=True,
        )
    return MessagePayload(
        message.id,
        message.seq,
        message.prev,
        room,
        message.content,
        message.sender,
        iso(message.created_at),
    )


def room_created_payload(room: Room) -> RoomCreatedPayload:
    """A room that was just made."""
    return RoomCreatedPayload(room.id, room.name, room.protected, iso(room.created_at))


def announcements(event: Event, room: str) -> list[Announcement]:
    """What the members of the room named `room` are told of an event."""
    match event.body:
        case MessagePosted(sender, content):
            at = iso(event.created_at)
            return [
                (
                    "message",
                    MessagePayload(event.id, event.seq, event.prev, room, content, sender, at),
                )
            ]
        case HistoryCleared():
            note = NotificationPayload("All messages have been deleted", event.created_at)
            return [
                ("deleteMessages", ClearedPayload(room, event.seq, event.prev)),
                ("notification", note),
            ]
        case Notice(content):
            return [("notification", NotificationPayload(content, event.created_at))]
        case TypingChanged(text):
            return [("typing", text)]
        case _:
            return []
