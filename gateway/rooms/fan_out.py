"""Fan-out: tell connections what happened, encoded once for each format in use."""

from collections import defaultdict
from collections.abc import Collection
from typing import Final

from gateway.connections.connection import Connection
from gateway.connections.flusher import Flusher
from gateway.protocols.announcements import Announcement, announced, announcements
from gateway.protocols.frames import Format
from gateway.protocols.offsets import Offsets
from gateway.rooms.burst import DELIVERIES, Burst
from gateway.rooms.local_room import LocalRoom
from gateway.rooms.member import Member
from shared.model.events import CursorMoved, Event, Notice, RoomDeleted, TypingChanged
from shared.model.rooms import Room

_NOBODY: Final[frozenset[Connection]] = frozenset()


class FanOut:
    """Who is here to be told, and how they are told.

    Attributes:
        connections: all of this gateway.
        users: the connections that hear of a user's chats, by user.
        offsets: which this gateway gives.
    """

    def __init__(self, flusher: Flusher) -> None:
        self._flusher = flusher
        self.connections: set[Connection] = set()
        self.users: defaultdict[str, set[Connection]] = defaultdict(set)
        self.offsets = Offsets()

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

    def deliver(self, local: LocalRoom, event: Event) -> None:
        """Tell a followed room's members, or a chat's users, of what happened in it."""
        room = local.room
        if room.kind == "direct":
            self.tell_users(event, room.user1, room.user2, local.head)
        else:
            told = announced(event, room, self._offset(event, room.id, local.head))
            if event.seq:
                self._to_members(local, event, told)
            else:
                self.tell(_without_origin(local.live(event), event), told)
        if event.seq:
            local.told = self.offsets.count

    def place(self, connection: Connection, room_id: int, seq: int) -> str:
        """The offset of what is about to tell a connection alone of a room up to `seq`."""
        offset = self.offsets.next(room_id, seq)
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
            self.let_go(connection, member, chat, seen)

    def let_go(self, connection: Connection, member: Member, room: Room, seen: int) -> None:
        """Give a connection what waited for it above `seen`, and everything from now on at once."""
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
        if isinstance(event.body, RoomDeleted):
            return True  # nobody lets go of what waits in a chat that is gone
        member.waiting.append(event)
        return False

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
