"""Payloads about places in a room or a direct chat: sends, cursors, history, resuming."""

from collections.abc import Sequence

from msgspec import UNSET, UnsetType

from gateway.protocols.payloads.base import Payload
from gateway.protocols.payloads.chats import NewMessagePayload
from gateway.protocols.payloads.rooms import MessagePayload
from shared.model.fields import UserId
from shared.protocol.errors import Reason


class AcceptedPayload(Payload, frozen=True, omit_defaults=True):
    """Message that was accepted: no crash of one process loses it any more.

    Attributes:
        id: id of the message.
        seq: number of the message in its room or chat.
        created_at: time it was accepted (ISO 8601, UTC, milliseconds).
        chat_id: id of the direct chat; missing for a message to a room.
    """

    id: int
    seq: int
    created_at: str
    chat_id: int | UnsetType = UNSET


class DurablePayload(Payload, frozen=True, omit_defaults=True):
    """Word that the database has what this connection sent to a room or a direct chat.

    Attributes:
        seq: the connection's messages up to this `seq` are in the database.
        room: name of the room; missing for a direct chat.
        chat_id: id of the direct chat; missing for a room.
    """

    seq: int
    room: str | UnsetType = UNSET
    chat_id: int | UnsetType = UNSET


class SeenPayload(Payload, frozen=True):
    """Cursor of a user in a room or a direct chat.

    Attributes:
        user: the user.
        seq: everything up to this `seq` was seen.
    """

    user: UserId
    seq: int


class ResumedPlace(Payload, frozen=True, omit_defaults=True):
    """Result of resuming a room or a direct chat.

    Attributes:
        recovered: true if all missed events were sent. False if the client may not be there, or
            the `seq` it named is no longer one of the room's: then join the room again, or read
            its history anew.
        head: `seq` of the last event; 0 if the client may not be there.
        reason: `banned` if the user is banned from a room without a password; missing otherwise.
    """

    recovered: bool
    head: int
    reason: Reason | UnsetType = UNSET


class ResumedPayload(Payload, frozen=True):
    """Result of a resume.

    Attributes:
        rooms: the result for each room, by name.
        chats: the result for each direct chat, by id. JSON has keys as text.
    """

    rooms: dict[str, ResumedPlace]
    chats: dict[str, ResumedPlace]


class RoomHistoryPayload(Payload, frozen=True):
    """Page of a room's history.

    Attributes:
        items: the messages, oldest first, as in `message`. Deleted ones may be among them, without
            their text; they do not count, and a long row of them is left out.
        head: `seq` of the room's last event when the page was read.
        partial: true if the broker or the database did not answer and messages may be missing:
            ask again later.
        next: `seq` to ask for the following page with, as `before` or `after`, whichever this one
            was asked for with (without either, as `before`); null if no messages follow. Unless it
            is null, or the bytes of the page are full, a page has `limit` messages that are not
            deleted.
    """

    items: Sequence[MessagePayload]
    head: int
    partial: bool
    next: int | None


class ChatHistoryPayload(Payload, frozen=True):
    """Page of a direct chat's history.

    Attributes:
        items: the messages, oldest first, as in `newMessage`. Deleted ones may be among them,
            without their text; they do not count, and a long row of them is left out.
        head: `seq` of the chat's last event when the page was read.
        partial: true if the broker or the database did not answer and messages may be missing:
            ask again later.
        next: `seq` to ask for the following page with, as `before` or `after`, whichever this one
            was asked for with (without either, as `before`); null if no messages follow. Unless it
            is null, or the bytes of the page are full, a page has `limit` messages that are not
            deleted.
    """

    items: Sequence[NewMessagePayload]
    head: int
    partial: bool
    next: int | None
