"""The hub: which rooms are followed here, and which connections are in which of them."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from gateway.access.authorization import may_stay, put_out
from gateway.connections.connection import Connection
from gateway.connections.flusher import Flusher
from gateway.protocols.payloads import ResumeRequiredPayload
from gateway.rooms.fan_out import FanOut
from gateway.rooms.local_room import LocalRoom
from gateway.rooms.member import Member
from gateway.rooms.store.replay import Replay
from shared.broker.partitions.keyspace import Keyspace
from shared.broker.transport.subscriber import Subscriber
from shared.errors import broker_unavailable
from shared.model.events import Banned, CursorMoved, Event, Kicked, MessagePosted, RoomDeleted
from shared.model.ids import partition_of_id
from shared.model.rooms import Room

FOLLOW_WITHIN: Final = 5.0
"""Seconds a room may take to be subscribed."""


class Hub:
    """The rooms of this gateway.

    Attributes:
        fan_out: how it tells connections.
    """

    def __init__(self, keys: Keyspace, replay: Replay, flusher: Flusher) -> None:
        self._flusher = flusher
        self.fan_out = FanOut(flusher)
        self._keys = keys
        self._replay = replay
        self._rooms: dict[str, LocalRoom] = {}
        self._by_key: dict[str, LocalRoom] = {}
        self._subscriber: Subscriber | None = None
        self._chats_of: defaultdict[str, set[LocalRoom]] = defaultdict(set)
        # In which epoch each partition is open, as far as this gateway's clients know.
        self._epochs: dict[int, int] = {}

    def attach(self, subscriber: Subscriber) -> None:
        """Say where channels are followed; the subscriber's callbacks are this hub's."""
        self._subscriber = subscriber

    def renew(self) -> None:
        """Leave the broker's server, which was left behind by a failover."""
        if self._subscriber is not None:
            self._subscriber.renew()

    async def enter(self, connection: Connection, room: Room) -> LocalRoom:
        """Make a connection a member of a named room; its events wait until `go_live`.

        Returns:
            The room, followed: nothing that happens from here on is missed.

        Raises:
            ChatError: `broker_unavailable`; `forbidden` where it was put out since the room was
                read. Then it is no member.
        """
        local = self.follow(room)
        local.learn(room)
        self._flusher.release()
        if connection not in local.members:
            if not may_stay(local.room, connection.display_name, room.head):
                if not local.members:
                    self.unfollow(local)
                raise put_out()
            local.members[connection] = Member(room.head)
            connection.rooms[local.name] = local
        try:
            async with asyncio.timeout(FOLLOW_WITHIN):
                await asyncio.shield(local.synced)
        except TimeoutError:
            self.leave(connection, local)
            raise broker_unavailable() from None
        if connection not in local.members:
            raise put_out()
        return local

    def go_live(self, connection: Connection, local: LocalRoom, seen: int) -> None:
        """Give a member what waited for it above `seen`, and everything from now on at once."""
        member = local.members.get(connection)
        if member is None or member.waiting is None:
            return  # it has left meanwhile, or is live already
        self._flusher.release()
        self.fan_out.let_go(connection, member, local.room, seen)

    def gate(self, connection: Connection, local: LocalRoom) -> None:
        """Let a member's events wait again until `go_live`."""
        self._flusher.release()
        local.members[connection].waiting = []

    def leave(self, connection: Connection, local: LocalRoom) -> None:
        """End a membership; a named room without members is not followed."""
        self._flusher.release()
        local.members.pop(connection, None)
        connection.rooms.pop(local.name, None)
        if not local.members:
            self.unfollow(local)

    def follow(self, room: Room, idle: float = 0.0) -> LocalRoom:
        """Follow a room from its head on, if it is not followed yet.

        Args:
            room: the room, with the head from which its events are wanted.
            idle: seconds since its last event.
        """
        channel = self._keys.of(room.key).channel(room.key)
        local = self._rooms.get(channel)
        if local is not None and local.room.id == room.id:
            return local
        if local is not None:
            self.unfollow(local)
        local = self._rooms[channel] = self._by_key[room.key] = LocalRoom(
            room, channel, self._replay, self._deliver, lambda local: self.require_resume([local])
        )
        local.active -= idle
        for user in room.users:
            self._chats_of[user].add(local)
        if self._subscriber is None:
            raise AssertionError("the hub is attached before the first connection")
        self._subscriber.hold(channel)
        return local

    def unfollow(self, local: LocalRoom) -> None:
        """Follow a room no more."""
        if self._rooms.get(local.channel) is local:
            local.close()
            del self._rooms[local.channel], self._by_key[local.room.key]
            for user in local.room.users:
                self._chats_of[user].discard(local)
                if not self._chats_of[user]:
                    del self._chats_of[user]
            if self._subscriber is not None:
                self._subscriber.release(local.channel)

    def followed(self, key: str) -> LocalRoom | None:
        """The room of this key, if it is followed."""
        return self._by_key.get(key)

    def followed_rooms(self) -> list[LocalRoom]:
        """Everything that is followed."""
        return list(self._rooms.values())

    def opened(self, number: int, epoch: int) -> None:
        """A partition is open in an epoch.

        In another than before, what it held may be gone, so all must look.
        """
        before, self._epochs[number] = self._epochs.get(number, epoch), epoch
        if before == epoch:
            return
        reopened = [
            local
            for local in self._rooms.values()
            if self._keys.number_of(local.room.key) == number
        ]
        for local in reopened:
            local.catch_up()
            for member in self._members_of(local):
                member.forget_cursors()
        self.require_resume(reopened)

    def is_of_now(self, number: int, epoch: int) -> bool:
        """Whether what is known of cursors in a partition's epoch still holds.

        The first of a newer epoch than was known may be less than what was told: all hear of the
        loss before it. What is of an older one may be lost, and comes after they heard.
        """
        known = self._epochs.setdefault(number, epoch)
        if epoch > known:
            self.opened(number, epoch)
        return epoch >= known

    def require_resume(self, locals_: Iterable[LocalRoom]) -> None:
        """Tell whoever is in some rooms or chats that they may have missed something."""
        rooms: defaultdict[Connection, list[str]] = defaultdict(list)
        chats: defaultdict[Connection, list[int]] = defaultdict(list)
        for local in locals_:
            if local.room.kind == "direct":
                for connection in self.fan_out.listeners(*local.room.users):
                    chats[connection].append(local.room.id)
            else:
                for connection in local.members:
                    rooms[connection].append(local.name)
        for connection in rooms.keys() | chats.keys():
            payload = ResumeRequiredPayload(rooms[connection], chats[connection])
            connection.emit("resume_required", payload)

    def followed_chats(self) -> list[LocalRoom]:
        """The direct chats that are followed."""
        return [local for local in self._rooms.values() if local.room.kind == "direct"]

    def chats_of(self, user: str) -> list[LocalRoom]:
        """The direct chats of a user that are followed."""
        return list(self._chats_of.get(user, ()))

    def receive(self, channel: str, event: Event) -> bool:
        """Take an event from a room's channel; whether nobody else is to take it."""
        body = event.body
        if not event.seq and isinstance(body, CursorMoved) and body.epoch:
            number = partition_of_id(event.id)
            if not self.is_of_now(number, body.epoch):
                return True
        local = self._rooms.get(channel)
        if local is None:
            return False
        local.receive(event)
        return True

    def subscribed(self, channel: str) -> None:
        """A channel was subscribed, perhaps afresh: what was published before may be missing."""
        if local := self._rooms.get(channel):
            local.catch_up()

    def _members_of(self, local: LocalRoom) -> Iterable[Member]:
        """What connections have of a room or chat, as far as that is known."""
        if local.room.kind == "room":
            return local.members.values()
        here = self.fan_out.listeners(*local.room.users)
        return [member for found in here if (member := found.chats.get(local.room.id))]

    def _deliver(self, local: LocalRoom, event: Event) -> None:
        self.fan_out.deliver(local, event)
        if type(event.body) is MessagePosted:
            return  # nearly always
        if isinstance(event.body, RoomDeleted) and local.room.kind == "direct":
            self.unfollow(local)
        elif isinstance(event.body, Kicked | Banned):
            self._put_out(local, event, event.body.user)

    def _put_out(self, local: LocalRoom, event: Event, user: str) -> None:
        """End a user's memberships, except those that began after what put them out."""
        for connection, member in list(local.members.items()):
            if connection.display_name == user and member.since < event.seq:
                if member.waiting is not None:
                    self.fan_out.show(connection, event, local.room)
                connection.must_have = self.fan_out.offsets.count
                self.leave(connection, local)
