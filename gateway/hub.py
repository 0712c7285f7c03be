"""Local fan-out: which connections are in which room, and who is here; encode once for all."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Final

from gateway.authorization import may_stay, put_out
from gateway.burst import DELIVERIES, Burst
from gateway.connection import Connection, Member
from gateway.flusher import Flusher
from gateway.local_room import LocalRoom
from gateway.protocols.announcements import Announcement, announced, announcements
from gateway.protocols.frames import Format
from gateway.protocols.offsets import Offsets
from gateway.protocols.payloads import ResumeRequiredPayload
from gateway.replay import Replay
from shared.broker.rooms import RoomBroker
from shared.broker.subscriber import Subscriber
from shared.errors import broker_unavailable
from shared.model.events import (
    Banned,
    CursorMoved,
    Event,
    Kicked,
    Notice,
    RoomDeleted,
    TypingChanged,
)
from shared.model.rooms import Room

_NOBODY: Final[frozenset[Connection]] = frozenset()

FOLLOW_WITHIN: Final = 5.0
"""Seconds a room may take to be subscribed."""


class Hub:
    """The rooms, connections and users of this gateway.

    Attributes:
        connections: all of them.
        users: the connections that hear of a user's chats, by user.
        offsets: which this gateway gives.
    """

    def __init__(self, broker: RoomBroker, replay: Replay, flusher: Flusher) -> None:
        self._flusher = flusher
        self._broker = broker
        self._replay = replay
        self._rooms: dict[str, LocalRoom] = {}
        self._by_key: dict[str, LocalRoom] = {}
        self._subscriber: Subscriber | None = None
        self.connections: set[Connection] = set()
        self.users: defaultdict[str, set[Connection]] = defaultdict(set)
        self.offsets = Offsets()
        self._chats_of: defaultdict[str, set[LocalRoom]] = defaultdict(set)

    def attach(self, subscriber: Subscriber) -> None:
        """Say where channels are followed; the subscriber's callbacks are this hub's."""
        self._subscriber = subscriber

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
        self._let_go(connection, member, local.room, seen)

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
        channel = self._broker.channel(room.key)
        local = self._rooms.get(channel)
        if local is not None and local.room.id == room.id:
            return local
        if local is not None:
            self.unfollow(local)
        local = self._rooms[channel] = self._by_key[room.key] = LocalRoom(
            room, channel, self._replay, self._fan_out, lambda local: self._require_resume([local])
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

    def reopened(self, number: int) -> None:
        """A partition was opened in a new epoch: what it held may be gone, so all must look."""
        reopened = [
            local
            for local in self._rooms.values()
            if self._broker.keys_of(local.room.key).number == number
        ]
        for local in reopened:
            local.catch_up()
        self._require_resume(reopened)

    def _require_resume(self, locals_: Iterable[LocalRoom]) -> None:
        rooms: defaultdict[Connection, list[str]] = defaultdict(list)
        chats: defaultdict[Connection, list[int]] = defaultdict(list)
        for local in locals_:
            if local.room.kind == "direct":
                for connection in self.listeners(*local.room.users):
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

    def listen(self, user: str, connection: Connection) -> bool:
        """Let a connection hear of a user's chats; whether it is the first one here."""
        first = not self.users.get(user)
        self.users[user].add(connection)
        return first

    def unlisten(self, user: str, connection: Connection) -> None:
        """Undo `listen`."""
        here = self.users.get(user, set())
        here.discard(connection)
        if not here:
            self.users.pop(user, None)

    def listeners(self, *users: str) -> frozenset[Connection]:
        """The connections that hear of the chats of any of these users."""
        return _NOBODY.union(*[found for user in users if (found := self.users.get(user))])

    def receive(self, channel: str, event: Event) -> bool:
        """Take an event from a room's channel; whether it is one that is followed."""
        local = self._rooms.get(channel)
        if local is None:
            return False
        local.receive(event)
        return True

    def subscribed(self, channel: str) -> None:
        """A channel was subscribed, perhaps afresh: what was published before may be missing."""
        if local := self._rooms.get(channel):
            local.catch_up()

    def announce(self, event: Event) -> None:
        """Tell everyone on this gateway."""
        self.tell(_without_origin(list(self.connections), event), announcements(event, None))

    def tell(self, to: Collection[Connection], told: list[Announcement]) -> None:
        """Send announcements, encoded once for each format in use."""
        for item in told:
            outgoing, sheddable = item.outgoing(), item.sheddable
            frames: dict[Format, bytes] = {}
            for connection in to:
                wire = connection.wire
                packed = frames.get(wire)
                if packed is None:
                    packed = frames[wire] = wire.pack(outgoing, item.offset)
                connection.push(packed, sheddable=sheddable)
        DELIVERIES.value += len(to) * len(told)

    def tell_users(self, event: Event, user1: str, user2: str, head: int = 0) -> None:
        """Tell both users of a direct chat of what happened in it.

        Args:
            event: what happened.
            user1: one of them.
            user2: the other.
            head: the last seq of the chat that they have, where that is known.
        """
        offset = self._offset(event, event.room_id, head)
        told = announcements(event, None, (user1, user2), offset)
        live = [
            connection
            for connection in self.listeners(user1, user2)
            if not (connection.chats or connection.holds_chats) or self._is_live(connection, event)
        ]
        self.tell(_without_origin(live, event), told)
        if isinstance(event.body, RoomDeleted):
            for connection in live:
                connection.must_have = self.offsets.count

    def place(self, connection: Connection, room: Room, seq: int) -> str:
        """The offset of what is about to tell a connection alone of a room up to `seq`."""
        offset = self.offsets.next(room.id, seq)
        connection.placed = self.offsets.count
        return offset

    def show(self, connection: Connection, event: Event, room: Room, head: int = 0) -> None:
        """Tell one connection of something in a room or chat that the others know already.

        Args:
            connection: whom to tell.
            event: what happened.
            room: where.
            head: for a signal, the last seq of the room that the connection has.
        """
        offset = self._offset(event, room.id, head)
        if event.seq:
            connection.placed = self.offsets.count
        if isinstance(event.body, RoomDeleted):
            connection.must_have = self.offsets.count
        self.tell(_without_origin([connection], event), announced(event, room, offset))

    def chat_goes_live(self, connection: Connection, chat: Room, seen: int) -> None:
        """Give a connection what waited while it resumed a chat, and all from now on at once."""
        member = connection.chats.get(chat.id)
        if member is not None and member.waiting is not None:
            self._let_go(connection, member, chat, seen)

    def _let_go(self, connection: Connection, member: Member, room: Room, seen: int) -> None:
        waiting, member.waiting, member.seen = member.waiting or [], None, seen
        for event in waiting:
            if member.takes(event):
                seen = event.seq or seen
                self.show(connection, event, room, seen)

    @staticmethod
    def _is_live(connection: Connection, event: Event) -> bool:
        """Whether an event of a chat is for a connection now; if it is for later, it waits."""
        member = connection.chats.get(event.room_id)
        if member is None:
            if not connection.holds_chats:
                return True
            member = connection.chats[event.room_id] = Member()
        if member.waiting is None:
            return member.takes(event)
        member.waiting.append(event)
        return False

    def _fan_out(self, local: LocalRoom, event: Event) -> None:
        if local.room.kind == "direct":
            self.tell_users(event, local.room.user1, local.room.user2, local.head)
            if event.seq:
                local.told = self.offsets.count
            if isinstance(event.body, RoomDeleted):
                self.unfollow(local)
            return
        offset = self._offset(event, local.room.id, local.head)
        told = announced(event, local.room, offset)
        if event.seq:
            local.told = self.offsets.count
            self._to_members(local, event, told)
            if isinstance(event.body, Kicked | Banned):
                self._put_out(local, event, event.body.user)
        else:
            self.tell(_without_origin(local.live(event), event), told)

    def _put_out(self, local: LocalRoom, event: Event, user: str) -> None:
        """End a user's memberships, except those that began after what put them out."""
        for connection, member in list(local.members.items()):
            if connection.display_name == user and member.since < event.seq:
                if member.waiting is not None:
                    self.show(connection, event, local.room)
                connection.must_have = self.offsets.count
                self.leave(connection, local)

    def _to_members(self, local: LocalRoom, event: Event, told: list[Announcement]) -> None:
        """Tell a room's members of an event of its log, with those that follow where possible."""
        burst = self._flusher.held
        if not isinstance(burst, Burst) or burst.local is not local:
            live = local.live(event)
            if len(live) < len(local.members):
                self.tell(live, told)
                return
            # The one before is handed out first.
            self._flusher.release()
            burst = Burst(local, live)
            self._flusher.hold(burst)
        burst.add(told)

    def _offset(self, event: Event, room_id: int, head: int) -> str:
        """The offset of an event that is about to be written, if it is to carry one."""
        if event.seq or isinstance(event.body, TypingChanged):
            return self.offsets.next(room_id, event.seq or head)
        return ""


def _without_origin(to: Collection[Connection], event: Event) -> Collection[Connection]:
    """Leave out the connection that made a signal: it knows."""
    body = event.body
    if event.seq or not isinstance(body, Notice | TypingChanged | CursorMoved) or not body.origin:
        return to
    return [connection for connection in to if connection.sid != body.origin]
