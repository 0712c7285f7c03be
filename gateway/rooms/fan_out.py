"""Fan-out of events to clients: each event is encoded once for each wire format in use."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Final

from gateway.connections.connection import MAX_WRITE_BYTES, Connection
from gateway.connections.flusher import Flusher
from gateway.protocols.announcements import Announcement, announcements, room_announcements
from gateway.protocols.frames import Format
from gateway.protocols.offsets import Offsets
from gateway.protocols.payloads import BanLiftedPayload
from gateway.rooms.client import Client
from gateway.rooms.local_room import LocalRoom
from gateway.rooms.subscription import Subscription
from shared.metrics import Counter
from shared.model.events import BanLifted, CursorMoved, Event, Notice
from shared.model.log_events import RoomDeleted
from shared.model.rooms import Room

DELIVERIES: Final = Counter("deliveries", "Events put into outboxes: one for each client told.")

_NO_CLIENTS: Final[frozenset[Client]] = frozenset()


class _Burst:
    """Consecutive events of one room in one turn of the event loop, for the same members.

    Each event is encoded once and deferred. When anything else is written, or the turn ends, all
    members get all of the frames in one step. So the cost of a delivery to a member is paid once
    for all events of the burst.

    Attributes:
        local: the room.
    """

    __slots__ = ("_frames", "_members", "local")

    def __init__(self, local: LocalRoom, members: Iterable[Client]) -> None:
        """Begin a burst, before the room's head moves.

        Args:
            local: the room.
            members: all members of the room. Every change of members releases the burst first;
                otherwise a client that joins would get events from before its page of history.
        """
        self.local = local
        local.outbox_seq = local.head
        self._members: defaultdict[Format, list[Connection]] = defaultdict(list)
        for client in members:
            connection = client.connection
            self._members[connection.wire].append(connection)
        self._frames: dict[Format, list[bytes]] = {wire: [] for wire in self._members}

    def add(self, items: Iterable[Announcement]) -> None:
        """Encode and defer announcements."""
        for item in items:
            outgoing = item.outgoing()
            for wire, frames in self._frames.items():
                frames.append(wire.pack(outgoing, item.offset))

    def deliver(self) -> None:
        """Put all deferred frames into every member's outbox."""
        for wire, members in self._members.items():
            frames = self._frames[wire]
            size = sum(map(len, frames))
            DELIVERIES.value += len(members) * len(frames)
            if size <= MAX_WRITE_BYTES:
                frames = [b"".join(frames)]  # joined once here instead of by each connection
            for connection in members:
                connection.push_all(frames, size)
        self.local.outbox_seq = None


class FanOut:
    """Writes events into the outboxes of clients.

    Attributes:
        clients: all clients of this gateway.
        users: the clients that are subscribed to a user's chats, by user.
        offsets: makes the offsets of this gateway.
    """

    def __init__(self, flusher: Flusher) -> None:
        self._flusher = flusher
        self.clients: set[Client] = set()
        self.users: defaultdict[str, set[Client]] = defaultdict(set)
        self.offsets = Offsets()
        self._burst: _Burst | None = None

    def subscribers(self, *users: str) -> frozenset[Client]:
        """Return the clients that are subscribed to the chats of any of these users."""
        return _NO_CLIENTS.union(*[found for user in users if (found := self.users.get(user))])

    def announce(self, event: Event) -> None:
        """Send an event to all clients of this gateway."""
        self.tell(_without_origin(list(self.clients), event), announcements(event, None))

    def ban_lifted(self, lifted: BanLifted) -> None:
        """Tell a user, on all connections here, that they may join a room again."""
        to = [client for client in self.clients if client.display_name == lifted.user]
        self.tell(to, [Announcement("banLifted", BanLiftedPayload(lifted.room))])

    def tell(self, to: Collection[Client], items: list[Announcement]) -> None:
        """Send announcements to clients, encoded once for each format in use."""
        for item in items:
            outgoing, sheddable = item.outgoing(), item.sheddable
            frames: dict[Format, bytes] = {}
            for client in to:
                connection = client.connection
                wire = connection.wire
                packed = frames.get(wire)
                if packed is None:
                    packed = frames[wire] = wire.pack(outgoing, item.offset)
                connection.push(packed, sheddable=sheddable)
        DELIVERIES.value += len(to) * len(items)

    def tell_users(self, event: Event, user1: str, user2: str) -> None:
        """Send a signal to both users of a direct chat that is not followed here."""
        items = announcements(event, None, (user1, user2))
        self.tell(_without_origin(self.subscribers(user1, user2), event), items)

    def deliver(self, local: LocalRoom, event: Event) -> None:
        """Send an event of a followed room or chat to its members."""
        room = local.room
        items = room_announcements(event, room, self._offset(event, room.id))
        if event.seq and room.kind == "room":
            self._to_members(local, event, items)
        else:
            live = local.recipients(event)
            self.tell(_without_origin(live, event), items)
            if isinstance(event.body, RoomDeleted):
                for client in live:
                    self._require_offset(client)
        if event.seq:
            local.last_offset_count = self.offsets.count

    def next_offset(self, client: Client, room_id: int, seq: int) -> str:
        """Make the offset of a frame that brings a single client up to `seq` of a room."""
        offset = self.offsets.next(room_id, seq)
        if client.recovery is not None:
            client.recovery.last_direct_offset = self.offsets.count
        return offset

    def tell_one(self, client: Client, event: Event, room: Room) -> None:
        """Send one client an event of its room or chat that the other members got already."""
        offset = self._offset(event, room.id)
        if event.seq and client.recovery is not None:
            client.recovery.last_direct_offset = self.offsets.count
        if isinstance(event.body, RoomDeleted):
            self._require_offset(client)
        self.tell(_without_origin([client], event), room_announcements(event, room, offset))

    def deliver_waiting(
        self, client: Client, subscription: Subscription, room: Room, caught_up_to: int
    ) -> None:
        """Make a subscription live, and send the client its deferred events above a seq.

        Deferred events up to `caught_up_to` are dropped: the client has them from the replay.
        """
        waiting, subscription.waiting = subscription.waiting or [], None
        subscription.caught_up_to = caught_up_to
        for event in waiting:
            if subscription.is_news(event):
                self.tell_one(client, event, room)

    def _require_offset(self, client: Client) -> None:
        if client.recovery is not None:
            client.recovery.required_offset = self.offsets.count

    def _to_members(self, local: LocalRoom, event: Event, items: list[Announcement]) -> None:
        """Send an event of a room's log to its members, in a burst where possible."""
        burst = self._burst
        if burst is None or burst is not self._flusher.deferred or burst.local is not local:
            live = local.recipients(event)
            if len(live) < len(local.members):
                self.tell(live, items)
                return
            # The burst of another room goes first, so that a client sees one order.
            self._flusher.release_deferred()
            burst = self._burst = _Burst(local, live)
            self._flusher.defer(burst)
        burst.add(items)

    def _offset(self, event: Event, room_id: int) -> str:
        """Make the offset of an event that is about to be written; empty for signals."""
        return self.offsets.next(room_id, event.seq) if event.seq else ""


def _without_origin(to: Collection[Client], event: Event) -> Collection[Client]:
    """Leave out the connection that caused a signal."""
    body = event.body
    if event.seq or not isinstance(body, Notice | CursorMoved) or not body.origin:
        return to
    return [client for client in to if client.connection.sid != body.origin]
