"""Tracking of one Socket.IO client's session: the state that the broker is to have of it."""

import secrets
from collections.abc import Callable
from typing import Final

from gateway.rooms.client import Client
from gateway.rooms.hub import Hub
from gateway.rooms.local_room import LocalRoom
from shared.model.sessions import ChatProgress, RoomProgress, SessionState

MAX_INCARNATIONS: Final = 8
"""Incarnations of gateways that a session remembers; offsets of older ones are ignored."""

PingCounts = Callable[[], tuple[int, int]]
"""Returns the number of pings sent to a client, and the number of the last one it answered."""


class SessionTracker:
    """Tracks the session of a client of this gateway.

    Attributes:
        owner: name of this hold on the session, unique for each time it is taken over. The broker
            accepts saves of the last owner only.
        acknowledged: the seq up to which the client is known to have a room or chat, by id.
        last_direct_offset: the last offset that was written to this client alone.
        required_offset: the last offset that announced the end of a subscription. The session does
            not contain that subscription any more, so the client must have this event.
        replaced: True if the session was taken over through another connection.
        saved: the session as the broker has it; None before the first save.
        settled: False during a recovery. Until it is complete the broker keeps the old state,
            from which the client can try again.
        first_sid: the connection's id from before the client took the session over.
    """

    # `sent` of a room (in `RoomProgress`) is what this gateway wrote; `acknowledged` is what the
    # client has. They differ by what is in buffers of the network. Example: events 5 to 9 are
    # written to a connection that is dead and not known to be. The client comes back and shows
    # the offset of 4. `sent` is 9, but the offset's count says that it did not get all of that,
    # so recovery goes on from `acknowledged`, and 5 to 9 come.
    #
    # A client acknowledges nothing by itself, so pings are used: frames arrive in order. When the
    # outbox is empty, the seqs sent so far are noted with the number of pings, say 3. When the
    # client has answered ping 4, which was written later, it has all of those seqs.

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
        # The number of pings sent at some moment, and the seqs that were sent by then.
        self._unconfirmed: tuple[int, dict[int, int]] | None = None
        self._ping_counts = ping_counts
        self._chats_since_offset = 0

    @property
    def offset_at_start(self) -> int:
        """The gateway's count of offsets when the client connected."""
        return self.incarnations[-1][1]

    def check_acknowledged(self, hub: Hub) -> None:
        """Move `acknowledged` up if the client has answered a later ping."""
        pings, pongs = self._ping_counts()
        if self._unconfirmed is None:
            if not self.client.connection.all_sent:
                return  # the next ping would be sent before what waits in the outbox
            sent = self._sent_seqs(hub)
            self._unconfirmed = pings, {id_: seq for id_, seq in sent.items() if seq is not None}
        elif pongs > self._unconfirmed[0]:
            self.acknowledged |= self._unconfirmed[1]
            self._unconfirmed = None

    def chats_subscribed(self, hub: Hub) -> None:
        """Note that the client was subscribed to its user's chats; earlier events are not due."""
        self._chats_since_offset = hub.fan_out.offsets.count
        self.acknowledged |= {local.room.id: local.head for local in self._chats(hub)}

    def session(self, hub: Hub, *, left: bool = False) -> SessionState:
        """Return the session as it is now; `left` if others were told of the disconnection."""
        client = self.client
        return SessionState(
            sid=client.connection.sid,
            username=client.username,
            chats_subscribed=client.chats_subscribed,
            online=client.online,
            left=left,
            incarnations=self.incarnations,
            sent=self._last_offset(hub),
            rooms={name: self._room(name, local) for name, local in hub.rooms_of(client).items()},
            chats={local.room.id: self._chat(local) for local in self._chats(hub)},
            required_offset=self.required_offset,
        )

    def _last_offset(self, hub: Hub) -> int:
        """Return the count of the last offset that was written to the client; 0 for none.

        Offsets from before its connection, or before it subscribed to chats, were written to the
        other members only. Counting them would make a client that has all look as if it lacked
        some, and it would get events twice.
        """
        rooms = [
            local.last_offset_count
            for local in hub.rooms_of(self.client).values()
            if local.last_offset_count > self.offset_at_start
        ]
        chats = [
            local.last_offset_count
            for local in self._chats(hub)
            if local.last_offset_count > self._chats_since_offset
        ]
        return max(self.last_direct_offset, *rooms, *chats, 0)

    def _sent_seqs(self, hub: Hub) -> dict[int, int | None]:
        rooms = hub.rooms_of(self.client)
        places = {local.room.id: self._room(name, local).sent for name, local in rooms.items()}
        return places | {local.room.id: self._chat(local).sent for local in self._chats(hub)}

    def _chats(self, hub: Hub) -> list[LocalRoom]:
        client = self.client
        if client.username is None or not client.chats_subscribed:
            return []
        return hub.chats_of(client.username)

    def _room(self, name: str, local: LocalRoom) -> RoomProgress:
        room, subscription = local.room, local.members.get(self.client)
        since = subscription.since if subscription else 0
        acknowledged = self.acknowledged.get(room.id)
        if subscription is None or subscription.waiting is not None:
            # Events wait for the client, so the room's head is not what it was sent.
            saved = self.saved.rooms.get(name) if self.saved else None
            return saved or RoomProgress(room.id, since, acknowledged, None)
        sent = max(subscription.caught_up_to, local.head)
        return RoomProgress(room.id, since, acknowledged, sent)

    def _chat(self, local: LocalRoom) -> ChatProgress:
        acknowledged = self.acknowledged.get(local.room.id, local.room.head)
        subscription = local.members.get(self.client)
        if subscription is not None and subscription.waiting is not None:
            return ChatProgress(local.room.id, acknowledged, acknowledged)
        return ChatProgress(local.room.id, acknowledged, local.head)
