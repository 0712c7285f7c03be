"""Notices to clients that may have missed events: `resume_required` and `lagged`."""

from collections import defaultdict
from collections.abc import Iterable

from gateway.protocols.frames import Outgoing
from gateway.protocols.payloads import LaggedPayload, ResumeRequiredPayload
from gateway.rooms.client import Client
from gateway.rooms.local_room import LocalRoom


def require_resume(places: Iterable[LocalRoom]) -> None:
    """Send `resume_required` to the members of the places, one frame for each client."""
    rooms: defaultdict[Client, list[str]] = defaultdict(list)
    chats: defaultdict[Client, list[int]] = defaultdict(list)
    for local in places:
        for client in local.members:
            if local.room.kind == "direct":
                chats[client].append(local.room.id)
            else:
                rooms[client].append(local.name)
    for client in rooms.keys() | chats.keys():
        payload = ResumeRequiredPayload(rooms[client], chats[client])
        client.connection.emit("resume_required", payload)


def lagged(rooms: Iterable[LocalRoom]) -> list[Outgoing]:
    """Make a `lagged` frame for each room of a slow client, with the last seq in its outbox.

    While a burst of events is not in the outboxes yet, that is below the room's head: if events 8
    and 9 still wait in the burst, the client has all up to 7 and must resume from there.
    """
    frames = []
    for local in rooms:
        sent = local.head if local.outbox_seq is None else local.outbox_seq
        frames.append(Outgoing("lagged", room=local.name, data=LaggedPayload(local.name, sent)))
    return frames
