"""Payloads of the list of what was done in a room."""

from typing import Any, Final, Literal, get_args

from msgspec import UNSET, UnsetType

from gateway.protocols.payloads.base import Payload, iso, user_out
from shared.model.events import Event
from shared.model.fields import UserId
from shared.model.kinds import LogEvent
from shared.model.rooms import Room

ActName = Literal[
    "kicked",
    "banned",
    "unbanned",
    "moderatorChanged",
    "passwordChanged",
    "messageDeleted",
    "deleteMessages",
    "roomCreated",
]
"""What was done, by the event that the members of the room got."""

ACTS: Final = frozenset(get_args(ActName))


class ActPayload(Payload, frozen=True, omit_defaults=True):
    """Something that was done in a room. Network addresses are never among it.

    Attributes:
        seq: its place in the room's log; 0 for the room's creation.
        at: time at which it was accepted.
        action: the event that the members of the room got; `roomCreated` for the creation.
        by: the user who did it; missing where the room's creator is nobody.
        user: the user to whom it was done, or who sent the deleted message.
        moderator: true if the user was made a moderator, false if the role was taken away.
        protected: true if the password was set, false if it was removed.
        message_id: id of the deleted message.
    """

    seq: int
    at: str
    action: ActName
    by: UserId | UnsetType = UNSET
    user: UserId | UnsetType = UNSET
    moderator: bool | UnsetType = UNSET
    protected: bool | UnsetType = UNSET
    message_id: int | UnsetType = UNSET


class ModerationLogPayload(Payload, frozen=True, omit_defaults=True):
    """Page of what was done in a room.

    Attributes:
        items: the newest first.
        next: `before` of the following page; null if there is nothing more.
        partial: true if entries may be missing, as the database is away, or the log of what it has
            not stored yet cannot be read whole. While the broker is away, there is no page.
    """

    items: list[ActPayload]
    next: int | None
    partial: bool = False


def act_payload(event: Event, sender: str | None) -> ActPayload | None:
    """Make the entry of an event of a room's log; None for one of a kind that is none.

    Args:
        event: of the room's log.
        sender: the sender of the message, for the deletion of one.
    """
    body = event.body
    name: Any = body.announced_as.event if isinstance(body, LogEvent) and body.announced_as else ""
    if name not in ACTS:
        return None

    def field(name: str) -> Any:  # noqa: ANN401 - the type of the field
        return getattr(body, name, UNSET)

    user = field("user") if sender is None else sender
    return ActPayload(
        seq=event.seq,
        at=iso(event.created_at),
        action=name,
        by=user_out(field("by")),
        user=UNSET if user is UNSET else user_out(user),
        moderator=field("moderator"),
        protected=field("protected"),
        message_id=field("message_id"),
    )


def creation_payload(room: Room) -> ActPayload:
    """Make the entry of a room's creation."""
    by = user_out(room.creator) if room.creator else UNSET
    return ActPayload(seq=0, at=iso(room.created_at), action="roomCreated", by=by)
