"""One session of a Socket.IO client here: what of it is kept in the broker."""

import secrets
from collections.abc import Callable
from typing import Final

from gateway.rooms.client import Client
from gateway.rooms.hub import Hub
from gateway.rooms.local_room import LocalRoom
from shared.model.sessions import ChatProgress, RoomProgress, SessionState

MAX_INCARNATIONS: Final = 8
"""Gateways' lives that a session remembers; an offset of an older one says nothing."""

PingCounts = Callable[[], tuple[int, int]]
"""How many pings a client was sent, and up to which of them it answered."""


class SessionTracker:
    """A session of a client here.

    Attributes:
        last_direct_offset: the last offset that was written to this client alone.
        required_offset: the last offset that announced the end of a subscription. The session does
            not contain that subscription any more, so the client must have this event.
        replaced: its client has come back on another connection.
        surely: by id, up to where the client surely has a room or chat: it answered a ping that
            was written after that.
        saved: as the broker has it.
        settled: it is where it was before; until then the broker keeps what it has.
        first_sid: the connection's before the client took the session over.
    """

    def __init__(
        self,
        client: Client,
        pid: str,
        incarnations: tuple[tuple[str, int], ...],
        ping_counts: PingCounts,
    ) -> None:
        self.client = client
        self.pid = pid
        self.owner = secrets.token_urlsafe(6)
        self.incarnations = incarnations[-MAX_INCARNATIONS:]
        self.acknowledged: dict[int, int] = {}
        self.saved: SessionState | None = None
        self.saved_at = 0.0
        self.settled = True
        self.last_direct_offset = 0
        self.required_offset = 0
        self.replaced = False
        self.first_sid = client.connection.sid
        # Up to where it had been sent all when it had been sent so many pings.
        self._asked: tuple[int, dict[int, int]] | None = None
        self._ping_counts = ping_counts
        self._subscribed_at = 0

    @property
    def first_offset(self) -> int:
        """The count of offsets when it came to this gateway."""
        return self.incarnations[-1][1]

    def check_acknowledged(self, hub: Hub) -> None:
        """Find out whether the client answered a ping, and what it had before that."""
        pings, pongs = self._ping_counts()
        if self._asked is None:
            if not self.client.connection.all_sent:
                return  # the next ping would overtake what waits
            places = self._places(hub)
            self._asked = pings, {place: seq for place, seq in places.items() if seq is not None}
        elif pongs > self._asked[0]:
            self.acknowledged |= self._asked[1]
            self._asked = None

    def chats_subscribed(self, hub: Hub) -> None:
        """It begins to hear of its user's chats: what was before is not owed to it."""
        self._subscribed_at = hub.fan_out.offsets.count
        self.acknowledged |= {local.room.id: local.head for local in self._chats(hub)}

    def session(self, hub: Hub, *, left: bool = False) -> SessionState:
        """The session as it is now."""
        client = self.client
        return SessionState(
            sid=client.connection.sid,
            username=client.username,
            chats_subscribed=client.chats_subscribed,
            online=client.online,
            left=left,
            incarnations=self.incarnations,
            sent=self._sent(hub),
            rooms={name: self._room(name, local) for name, local in hub.rooms_of(client).items()},
            chats={local.room.id: self._chat(local) for local in self._chats(hub)},
            must_have=self.required_offset,
        )

    def _sent(self, hub: Hub) -> int:
        told = [
            local.last_offset_count
            for local in hub.rooms_of(self.client).values()
            if local.last_offset_count > self.first_offset
        ]
        heard = [
            local.last_offset_count
            for local in self._chats(hub)
            if local.last_offset_count > self._subscribed_at
        ]
        return max(self.last_direct_offset, *told, *heard, 0)

    def _places(self, hub: Hub) -> dict[int, int | None]:
        rooms = hub.rooms_of(self.client)
        places = {local.room.id: self._room(name, local).sent for name, local in rooms.items()}
        return places | {local.room.id: self._chat(local).sent for local in self._chats(hub)}

    def _chats(self, hub: Hub) -> list[LocalRoom]:
        client = self.client
        if client.username is None or not client.chats_subscribed:
            return []
        return hub.chats_of(client.username)

    def _room(self, name: str, local: LocalRoom) -> RoomProgress:
        room, its = local.room, local.members.get(self.client)
        since = its.since if its else 0
        acknowledged = self.acknowledged.get(room.id)
        if its is None or its.waiting is not None:
            before = self.saved.rooms.get(name) if self.saved else None
            return before or RoomProgress(room.id, since, acknowledged, None)
        return RoomProgress(room.id, since, acknowledged, max(its.caught_up_to, local.head))

    def _chat(self, local: LocalRoom) -> ChatProgress:
        acknowledged = self.acknowledged.get(local.room.id, local.room.head)
        its = local.members.get(self.client)
        if its is not None and its.waiting is not None:
            return ChatProgress(local.room.id, acknowledged, acknowledged)
        return ChatProgress(local.room.id, acknowledged, local.head)
