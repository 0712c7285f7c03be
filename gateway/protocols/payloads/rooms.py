"""Payloads about rooms and their messages."""

from typing import Literal

from msgspec import UNSET, UnsetType

from gateway.protocols.payloads.base import Payload, iso
from shared.model.fields import UserId
from shared.model.rooms import Room
from shared.model.timeline import Message


class MessagePayload(Payload, frozen=True, omit_defaults=True):
    """Message of a room.

    Attributes:
        id: id of the message, unique in the installation.
        seq: number of the message in its room; it only grows.
        prev: `seq` of the event before it in the room. A client that has not got that event has
            missed something.
        room: name of the room.
        content: text of the message; missing in a deleted one.
        sender: name of the user who sent it, as text; missing in a deleted one.
        created_at: time it was accepted (ISO 8601, UTC, milliseconds); always there.
        deleted: true for a message that was deleted, which history shows without its text;
            missing otherwise.
    """

    id: int
    seq: int
    prev: int
    room: str
    content: str | UnsetType = UNSET
    sender: str | UnsetType = UNSET
    created_at: str | UnsetType = UNSET
    deleted: bool = False


class RoomCreatedPayload(Payload, frozen=True):
    """Room that was created.

    Attributes:
        id: id of the room, unique in the installation.
        name: name of the room.
        protected: true if joining takes a password.
        created_at: time it was created (ISO 8601, UTC, milliseconds).
    """

    id: int
    name: str
    protected: bool
    created_at: str


class RoomPayload(Payload, frozen=True):
    """Room in a list.

    Attributes:
        name: name of the room.
        protected: true if joining takes a password.
    """

    name: str
    protected: bool


class ListedRoomsPayload(Payload, frozen=True, omit_defaults=True):
    """Result of `getRooms`; the rooms themselves come before it, as `rooms`.

    Attributes:
        next: what to give as `after` for the rooms that follow; missing if none do. A page may have
            fewer than `limit` rooms where their names are long.
        partial: true if the broker did not answer, so that new rooms may be missing: ask again
            later. Only where the request has `partial`; missing otherwise.
    """

    next: str | UnsetType = UNSET
    partial: bool = False


class JoinedPayload(Payload, frozen=True, omit_defaults=True):
    """Result of joining a room.

    Attributes:
        room: name of the room.
        head: `seq` of the room's last event: what comes live follows it.
        epoch: number of the epoch of the room's log; it grows when the broker may have lost data.
        next: `seq` to give `history` as `before` for messages older than those of
            `messageHistory`; null if there are none.
        grant: what stands for the password when joining or resuming later; only for a protected
            room.
        role: `owner` or `moderator`; missing for any other user.
        user: the name that the connection has, where `username` was another spelling of it.
    """

    room: str
    head: int
    epoch: int
    next: int | None
    grant: str | UnsetType = UNSET
    role: Literal["moderator", "owner"] | UnsetType = UNSET
    user: str | UnsetType = UNSET


class BanLiftedPayload(Payload, frozen=True):
    """Room without a password from which a user is banned no more.

    Attributes:
        room: name of the room.
    """

    room: str


class StandingsPayload(Payload, frozen=True):
    """Page of the users who are banned from a room, or of its moderators.

    Attributes:
        users: the users, in the order of their names as text.
        more: true if there are more: ask again with the last of these as `after`.
    """

    users: list[UserId]
    more: bool


class MemberPayload(Payload, frozen=True, omit_defaults=True):
    """Result of an action on a user of a room.

    Attributes:
        known: false if nobody of this name has been here: none is online, has connected lately, or
            has left anything that is stored. The action holds all the same, should they come.
            Missing while the server cannot tell.
    """

    known: bool | UnsetType = UNSET


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
