"""Local fan-out: which connections are in which room, each room's events in one order."""

import asyncio
from collections.abc import Iterable
from typing import Final

from msgspec import UNSET

from gateway.connection import Connection
from gateway.protocols.frames import Format, Outgoing
from gateway.protocols.payloads import Announcement, announcements
from shared.broker.rooms import RoomBroker
from shared.broker.subscriber import Subscriber
from shared.codec import CodecError
from shared.errors import ChatError, broker_unavailable
from shared.model.events import Event, Notice, TypingChanged
from shared.model.rooms import Room
from shared.telemetry import logger

LOG_PAGE: Final = 1000
"""Events read from a room's log at a time."""

FOLLOW_WITHIN: Final = 5.0
"""Seconds a room may take to be subscribed."""

MOST_READS: Final = 3
"""Reads of a log for one gap, where pub/sub keeps losing what comes meanwhile."""

TRY_AGAIN_AFTER: Final = 0.5
"""Seconds until a log is read again that could not be read."""

log = logger(__name__)


class LocalRoom:
    """A room with members on this gateway.

    Attributes:
        head: the seq of the last event its members were given.
        synced: done once the channel is followed and the head is known.
        members: each with what waits while its history is on the way; None once it is live.
    """

    def __init__(self, room: Room, channel: str) -> None:
        self.key = room.key
        self.id = room.id
        self.name = room.name
        self.channel = channel
        self.head = room.head
        self.members: dict[Connection, list[Event] | None] = {}
        self.synced: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # An event whose predecessor is missing waits here until the log has filled the gap.
        self.waiting: list[Event] = []
        self.catching_up: asyncio.Task[None] | None = None


class Hub:
    """The rooms and connections of this gateway."""

    def __init__(self, broker: RoomBroker) -> None:
        self._broker = broker
        self._rooms: dict[str, LocalRoom] = {}
        self._subscriber: Subscriber | None = None
        self.connections: set[Connection] = set()

    def attach(self, subscriber: Subscriber) -> None:
        """Say where channels are followed; the subscriber's callbacks are this hub's."""
        self._subscriber = subscriber

    async def enter(self, connection: Connection, room: Room) -> LocalRoom:
        """Make a connection a member; its events wait until `go_live`.

        Returns:
            The room, followed: nothing that happens from here on is missed.

        Raises:
            ChatError: `broker_unavailable`; then it is no member.
        """
        channel = self._broker.channel(room.key)
        local = self._rooms.get(channel)
        if local is None:
            local = self._rooms[channel] = LocalRoom(room, channel)
            self._follow(channel)
        if connection not in local.members:
            local.members[connection] = []
            connection.rooms[local.name] = local
        try:
            async with asyncio.timeout(FOLLOW_WITHIN):
                await asyncio.shield(local.synced)
        except TimeoutError:
            self.leave(connection, local)
            raise broker_unavailable() from None
        return local

    def go_live(self, connection: Connection, local: LocalRoom, seen: int) -> None:
        """Give a member what waited for it above `seen`, and everything from now on at once."""
        waiting = local.members.get(connection)
        if waiting is None:
            return  # it has left meanwhile
        local.members[connection] = None
        for event in waiting:
            if event.seq == 0 or event.seq > seen:
                self._deliver([connection], event, local.name)

    def leave(self, connection: Connection, local: LocalRoom) -> None:
        """End a membership; a room without members is not followed."""
        local.members.pop(connection, None)
        connection.rooms.pop(local.name, None)
        if not local.members and self._rooms.get(local.channel) is local:
            del self._rooms[local.channel]
            if self._subscriber is not None:
                self._subscriber.release(local.channel)

    def receive(self, channel: str, event: Event) -> None:
        """Take an event from a room's channel."""
        local = self._rooms.get(channel)
        if local is None:
            return  # the last member has just left
        if event.seq == 0:
            self._fan_out(local, event)
        elif local.catching_up is not None or not local.synced.done() or event.prev > local.head:
            local.waiting.append(event)
            self._catch_up(local)
        elif event.seq > local.head:
            self._advance(local, event)

    def subscribed(self, channel: str) -> None:
        """A channel was subscribed, perhaps afresh: what was published before may be missing."""
        local = self._rooms.get(channel)
        if local is not None:
            self._catch_up(local)

    def announce(self, event: Event) -> None:
        """Tell everyone on this gateway."""
        self._deliver(list(self.connections), event, None)

    def _follow(self, channel: str) -> None:
        if self._subscriber is None:
            raise AssertionError("the hub is attached before the first connection")
        self._subscriber.hold(channel)

    def _advance(self, local: LocalRoom, event: Event) -> None:
        local.head = event.seq
        self._fan_out(local, event)

    def _fan_out(self, local: LocalRoom, event: Event) -> None:
        live = []
        for connection, waiting in local.members.items():
            if waiting is None:
                live.append(connection)
            else:
                waiting.append(event)
        self._deliver(live, event, local.name)

    def _deliver(self, to: Iterable[Connection], event: Event, room: str | None) -> None:
        """Encode once for each format in use, and hand the frames out."""
        body = event.body
        origin = body.origin if isinstance(body, Notice | TypingChanged) else ""
        sheddable = isinstance(body, TypingChanged)
        told = announcements(event, room or "")
        frames: dict[Format, list[bytes]] = {}
        for connection in to:
            if origin and connection.sid == origin:
                continue
            wire = connection.wire
            encoded = frames.get(wire)
            if encoded is None:
                encoded = frames[wire] = [_encode(wire, item, room) for item in told]
            for frame in encoded:
                connection.push(frame, sheddable=sheddable)

    def _catch_up(self, local: LocalRoom) -> None:
        if local.catching_up is None:
            local.catching_up = asyncio.create_task(self._fill(local))

    async def _fill(self, local: LocalRoom) -> None:
        """Read from the log what the channel did not bring, then give out what waited."""
        try:
            for _ in range(MOST_READS):
                await self._read_log(local)
                if all(event.prev <= local.head for event in local.waiting[:1]):
                    break
        except (ChatError, CodecError) as error:
            log.warning("room not caught up", room=local.name, error=str(error))
            asyncio.get_running_loop().call_later(TRY_AGAIN_AFTER, self.subscribed, local.channel)
            return
        finally:
            local.catching_up = None
        if not local.synced.done():
            local.synced.set_result(None)
        waiting, local.waiting = local.waiting, []
        for event in waiting:
            # What the log does not have any more cannot be filled from it.
            if event.seq > local.head:
                self._advance(local, event)

    async def _read_log(self, local: LocalRoom) -> None:
        if not local.synced.done():
            newest = await self._broker.read_log(local.key, "backward", limit=1)
            local.head = newest.head if newest else local.head
            return
        while True:
            part = await self._broker.read_log(
                local.key, "forward", lowest=local.head + 1, limit=LOG_PAGE
            )
            for event in part.events if part else ():
                if event.seq > local.head:
                    self._advance(local, event)
            if part is None or len(part.events) < LOG_PAGE:
                return


def _encode(wire: Format, announcement: Announcement, room: str | None) -> bytes:
    name, data = announcement
    return wire.encode(Outgoing(name, room=UNSET if room is None else room, data=data))
