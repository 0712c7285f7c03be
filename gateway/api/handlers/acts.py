"""Acts of users in rooms: events of the room's log that are security events, too."""

import secrets
from typing import TypedDict

from gateway.access.rates.limits import Asker
from gateway.api.gateway import Gateway
from gateway.rooms.store.messages import MessageLocation
from shared.model.log_events import (
    Banned,
    HistoryCleared,
    Kicked,
    MessageDeleted,
    ModeratorChanged,
    PasswordChanged,
    RoomDeleted,
    Unbanned,
)
from shared.model.rooms import Room
from shared.trail import events
from shared.trail.events import SecurityEvent

Body = (
    Banned | HistoryCleared | Kicked | ModeratorChanged | PasswordChanged | RoomDeleted | Unbanned
)
"""An event of a room's log that is the act of a user."""


class _Act(TypedDict):
    """The fields that all acts have."""

    by: str
    address: str
    room: str


async def act(gateway: Gateway, asker: Asker, room: Room, body: Body) -> None:
    """Add an act to a room's log, and once it is accepted write it to the trail.

    Every gateway applies it when it delivers the event.

    Raises:
        ChatError: it was not accepted.
    """
    await gateway.rooms.publisher.send(room, body.by, secrets.token_urlsafe(12), body)
    gateway.access.trail.note(_event(_fields(asker, room), body), asker.source)


async def delete(
    gateway: Gateway, asker: Asker, location: MessageLocation, body: MessageDeleted
) -> None:
    """Delete a message, and write that to the trail.

    Raises:
        ChatError: it was not accepted.
    """
    # The same idempotency key for all deletions of a message: two clients that delete it at the
    # same time make one event.
    key = f"delete {body.message_id}"
    await gateway.rooms.publisher.send(location.room, location.sender, key, body)
    fields = _fields(asker, location.room)
    event = events.MessageDeleted(**fields, message=body.message_id, user=location.sender)
    gateway.access.trail.note(event, asker.source)


def room_label(room: Room) -> str:
    """Return the name of a room in security events: a direct chat has its id."""
    return room.name if room.kind == "room" else f"chat {room.id}"


def _fields(asker: Asker, room: Room) -> _Act:
    return {"by": asker.display_name, "address": asker.address, "room": room_label(room)}


def _event(fields: _Act, body: Body) -> SecurityEvent:
    match body:
        case Kicked():
            return events.Kick(**fields, user=body.user)
        case Banned():
            return events.Ban(**fields, user=body.user)
        case Unbanned():
            return events.Unban(**fields, user=body.user)
        case ModeratorChanged():
            return events.RoleChanged(**fields, user=body.user, moderator=body.moderator)
        case PasswordChanged():
            return events.PasswordChanged(**fields, protected=body.protected)
        case HistoryCleared():
            return events.MessagesDeleted(**fields)
        case RoomDeleted():
            return events.ChatDeleted(**fields)
