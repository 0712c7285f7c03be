"""Fan-out: tell clients what happened, encoded once for each format in use."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Final

from gateway.connections.connection import MAX_WRITE_BYTES, Connection
from gateway.connections.flusher import Flusher
from gateway.protocols.announcements import Announcement, announcements, room_announcements
from gateway.protocols.frames import Format
from gateway.protocols.offsets import Offsets
from gateway.rooms.client import Client
from gateway.rooms.local_room import LocalRoom
from gateway.rooms.subscription import Subscription
from shared.metrics import Counter
from shared.model.events import CursorMoved, Event, Notice, TypingChanged
from shared.model.log_events import RoomDeleted
from shared.model.rooms import Room

DELIVERIES: Final = Counter("deliveries", "Events put into outboxes: one for each client told.")

_NOBODY: Final[frozenset[Client]] = frozenset()


class _Burst:
    """Events of one room that follow each other in a turn of the event loop, for the same members.

    Each is encoded once and kept; members get all of them in one step when something else is
    written, or the turn ends. So what an event costs for each member is paid once for all of them.

    Attributes:
        local: the room.
    """

    __slots__ = ("_frames", "_members", "local")

    def __init__(self, local: LocalRoom, members: Iterable[Client]) -> None:
        """Begin, before the room's head moves.

        Args:
            local: the room.
            members: all of its members; whoever comes or goes ends the burst first.
        """
        self.local = local
        local.outbox_seq = local.head
        self._members: defaultdict[Format, list[Connection]] = defaultdict(list)
        for client in members:
            connection = client.connection
            self._members[connection.wire].append(connection)
        self._frames: dict[Format, list[bytes]] = {wire: [] for wire in self._members}

    def add(self, told: Iterable[Announcement]) -> None:
        """Keep what they are to be told."""
        for item in told:
            outgoing = item.outgoing()
            for wire, frames in self._frames.items():
                frames.append(wire.pack(outgoing, item.offset))

    def deliver(self) -> None:
        """Put all of it into every member's outbox."""
        for wire, members in self._members.items():
            frames = self._frames[wire]
            size = sum(map(len, frames))
            DELIVERIES.value += len(members) * len(frames)
            if size <= MAX_WRITE_BYTES:
                frames = [b"".join(frames)]  # once for all, not by each connection
            for connection in members:
                connection.push_all(frames, size)
        self.local.outbox_seq = None


class FanOut:
    """Tells clients what happened.

    Attributes:
        clients: all of this gateway.
        users: the clients that hear of a user's chats, by user.
        offsets: which this gateway gives.
    """

    def __init__(self, flusher: Flusher) -> None:
        self._flusher = flusher
        self.clients: set[Client] = set()
        self.users: defaultdict[str, set[Client]] = defaultdict(set)
        self.offsets = Offsets()
        self._burst: _Burst | None = None

    def subscribers(self, *users: str) -> frozenset[Client]:
        """The clients that hear of the chats of any of these users."""
        return _NOBODY.union(*[found for user in users if (found := self.users.get(user))])

    def announce(self, event: Event) -> None:
        """Tell everyone on this gateway."""
        self.tell(_without_origin(list(self.clients), event), announcements(event, None))

    def tell(self, to: Collection[Client], told: list[Announcement]) -> None:
        """Send announcements, encoded once for each format in use."""
        for item in told:
            outgoing, sheddable = item.outgoing(), item.sheddable
            frames: dict[Format, bytes] = {}
            for client in to:
                connection = client.connection
                wire = connection.wire
                packed = frames.get(wire)
                if packed is None:
                    packed = frames[wire] = wire.pack(outgoing, item.offset)
                connection.push(packed, sheddable=sheddable)
        DELIVERIES.value += len(to) * len(told)

    def tell_users(self, event: Event, user1: str, user2: str) -> None:
        """Tell both users of a direct chat that is not followed here of a signal."""
        told = announcements(event, None, (user1, user2), self._offset(event, event.room_id, 0))
        self.tell(_without_origin(self.subscribers(user1, user2), event), told)

    def deliver(self, local: LocalRoom, event: Event) -> None:
        """Tell the members of a followed room or chat of what happened in it."""
        room = local.room
        told = room_announcements(event, room, self._offset(event, room.id, local.head))
        if event.seq and room.kind == "room":
            self._to_members(local, event, told)
        else:
            live = local.recipients(event)
            self.tell(_without_origin(live, event), told)
            if isinstance(event.body, RoomDeleted):
                for client in live:
                    self._require_offset(client)
        if event.seq:
            local.last_offset_count = self.offsets.count

    def next_offset(self, client: Client, room_id: int, seq: int) -> str:
        """The offset of what is about to tell a client alone of a room up to `seq`."""
        offset = self.offsets.next(room_id, seq)
        if client.recovery is not None:
            client.recovery.last_direct_offset = self.offsets.count
        return offset

    def tell_one(self, client: Client, event: Event, room: Room, head: int = 0) -> None:
        """Tell one client of something in a room or chat that the others know already.

        Args:
            client: whom to tell.
            event: what happened.
            room: where.
            head: for a signal, the last seq of the room that the client has.
        """
        offset = self._offset(event, room.id, head)
        if event.seq and client.recovery is not None:
            client.recovery.last_direct_offset = self.offsets.count
        if isinstance(event.body, RoomDeleted):
            self._require_offset(client)
        self.tell(_without_origin([client], event), room_announcements(event, room, offset))

    def deliver_waiting(
        self, client: Client, subscription: Subscription, room: Room, seen: int
    ) -> None:
        """Give a client what waited for it above `seen`, and everything from now on at once."""
        waiting, subscription.waiting, subscription.caught_up_to = (
            subscription.waiting or [],
            None,
            seen,
        )
        for event in waiting:
            if subscription.is_news(event):
                seen = event.seq or seen
                self.tell_one(client, event, room, seen)

    def _require_offset(self, client: Client) -> None:
        if client.recovery is not None:
            client.recovery.required_offset = self.offsets.count

    def _to_members(self, local: LocalRoom, event: Event, told: list[Announcement]) -> None:
        """Tell a room's members of an event of its log, with those that follow where possible."""
        burst = self._burst
        if burst is None or burst is not self._flusher.deferred or burst.local is not local:
            live = local.recipients(event)
            if len(live) < len(local.members):
                self.tell(live, told)
                return
            # The one before is handed out first.
            self._flusher.release_deferred()
            burst = self._burst = _Burst(local, live)
            self._flusher.defer(burst)
        burst.add(told)

    def _offset(self, event: Event, room_id: int, head: int) -> str:
        """The offset of an event that is about to be written, if it is to carry one."""
        if event.seq or isinstance(event.body, TypingChanged):
            return self.offsets.next(room_id, event.seq or head)
        return ""


def _without_origin(to: Collection[Client], event: Event) -> Collection[Client]:
    """Leave out the connection that made a signal: it knows."""
    body = event.body
    if event.seq or not isinstance(body, Notice | TypingChanged | CursorMoved) or not body.origin:
        return to
    return [client for client in to if client.connection.sid != body.origin]
