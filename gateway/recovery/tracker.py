"""One session of a Socket.IO client here: what of it is kept in the broker."""

import secrets
from collections.abc import Callable
from typing import Final

from gateway.connections.connection import Connection
from gateway.rooms.hub import Hub
from gateway.rooms.local_room import LocalRoom
from shared.model.sessions import ChatPlace, RoomPlace, Session

MOST_LIVES: Final = 8
"""Gateways' lives that a session remembers; an offset of an older one says nothing."""

Heart = Callable[[], tuple[int, int]]
"""How many pings a client was sent, and up to which of them it answered."""


class Kept:
    """A session of a connection here.

    Attributes:
        surely: by id, up to where the client surely has a room or chat: it answered a ping that
            was written after that.
        saved: as the broker has it.
        settled: it is where it was before; until then the broker keeps what it has.
        first_sid: the connection's before it took the session over.
    """

    def __init__(
        self, connection: Connection, pid: str, lives: tuple[tuple[str, int], ...], heart: Heart
    ) -> None:
        self.connection = connection
        self.pid = pid
        self.owner = secrets.token_urlsafe(6)
        self.lives = lives[-MOST_LIVES:]
        self.surely: dict[int, int] = {}
        self.saved: Session | None = None
        self.saved_at = 0.0
        self.settled = True
        self.first_sid = connection.sid
        # Up to where it had been sent all when it had been sent so many pings.
        self._asked: tuple[int, dict[int, int]] | None = None
        self._heart = heart
        self._heard_since = 0

    @property
    def came(self) -> int:
        """The count of offsets when it came to this gateway."""
        return self.lives[-1][1]

    def beat(self, hub: Hub) -> None:
        """Find out whether the client answered a ping, and what it had before that."""
        pings, pongs = self._heart()
        if self._asked is None:
            if not self.connection.all_sent:
                return  # the next ping would overtake what waits
            places = self._places(hub)
            self._asked = pings, {place: seq for place, seq in places.items() if seq is not None}
        elif pongs > self._asked[0]:
            self.surely |= self._asked[1]
            self._asked = None

    def hears(self, hub: Hub) -> None:
        """It begins to hear of its user's chats: what was before is not owed to it."""
        self._heard_since = hub.fan_out.offsets.count
        self.surely |= {local.room.id: local.head for local in self._chats(hub)}

    def session(self, hub: Hub, *, left: bool = False) -> Session:
        """The session as it is now."""
        connection = self.connection
        return Session(
            sid=connection.sid,
            username=connection.username,
            hears_chats=connection.hears_chats,
            online=connection.online,
            left=left,
            lives=self.lives,
            sent=self._sent(hub),
            rooms={name: self._room(name, local) for name, local in connection.rooms.items()},
            chats={local.room.id: self._chat(local) for local in self._chats(hub)},
            must_have=connection.must_have,
        )

    def _sent(self, hub: Hub) -> int:
        told = [local.told for local in self.connection.rooms.values() if local.told > self.came]
        heard = [local.told for local in self._chats(hub) if local.told > self._heard_since]
        return max(self.connection.placed, *told, *heard, 0)

    def _places(self, hub: Hub) -> dict[int, int | None]:
        rooms = self.connection.rooms
        places = {local.room.id: self._room(name, local).sent for name, local in rooms.items()}
        return places | {local.room.id: self._chat(local).sent for local in self._chats(hub)}

    def _chats(self, hub: Hub) -> list[LocalRoom]:
        connection = self.connection
        if connection.username is None or not connection.hears_chats:
            return []
        return hub.chats_of(connection.username)

    def _room(self, name: str, local: LocalRoom) -> RoomPlace:
        room, member = local.room, local.members.get(self.connection)
        since = member.since if member else 0
        surely = self.surely.get(room.id)
        if member is None or member.waiting is not None:
            before = self.saved.rooms.get(name) if self.saved else None
            return before or RoomPlace(room.id, since, surely, None)
        return RoomPlace(room.id, since, surely, max(member.seen, local.head))

    def _chat(self, local: LocalRoom) -> ChatPlace:
        surely = self.surely.get(local.room.id, local.room.head)
        member = self.connection.chats.get(local.room.id)
        if member is not None and member.waiting is not None:
            return ChatPlace(local.room.id, surely, surely)
        return ChatPlace(local.room.id, surely, local.head)
