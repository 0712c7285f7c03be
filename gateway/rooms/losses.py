"""What clients are told when they may have missed something."""

from collections import defaultdict
from collections.abc import Iterable

from gateway.protocols.frames import Outgoing
from gateway.protocols.payloads import LaggedPayload, ResumeRequiredPayload
from gateway.rooms.client import Client
from gateway.rooms.local_room import LocalRoom


def require_resume(locals_: Iterable[LocalRoom]) -> None:
    """Tell the members of some rooms and chats to resume them (`resume_required`)."""
    rooms: defaultdict[Client, list[str]] = defaultdict(list)
    chats: defaultdict[Client, list[int]] = defaultdict(list)
    for local in locals_:
        for client in local.members:
            if local.room.kind == "direct":
                chats[client].append(local.room.id)
            else:
                rooms[client].append(local.name)
    for client in rooms.keys() | chats.keys():
        payload = ResumeRequiredPayload(rooms[client], chats[client])
        client.connection.emit("resume_required", payload)


def lagged(rooms: Iterable[LocalRoom]) -> list[Outgoing]:
    """Say of each room of a client that did not read up to where it was sent all of it."""
    frames = []
    for local in rooms:
        sent = local.head if local.outbox_seq is None else local.outbox_seq
        frames.append(Outgoing("lagged", room=local.name, data=LaggedPayload(local.name, sent)))
    return frames
