"""The hub: which rooms are followed here, and which clients are in which of them."""

from collections import defaultdict
from typing import Final

from gateway.access.authorization import may_stay, no_longer_admitted
from gateway.connections.flusher import Flusher
from gateway.rooms.client import Client
from gateway.rooms.fan_out import FanOut
from gateway.rooms.local_room import LocalRoom
from gateway.rooms.losses import require_resume
from gateway.rooms.store.replay import Replay
from gateway.rooms.subscription import Subscription
from shared.broker.partitions.keyspace import Keyspace
from shared.broker.transport.subscriber import Subscriber
from shared.model.events import CursorMoved, Event
from shared.model.ids import partition_of_id
from shared.model.kinds import LogEvent
from shared.model.log_events import MessagePosted, RoomDeleted
from shared.model.rooms import Room


class Hub:
    """The rooms of this gateway, and the subscriptions of its clients.

    A subscription is an entry in its room's `members`, of a named room and of a direct chat alike.
    A client enters named rooms one by one. It hears of all direct chats of its user or of none:
    while it does, it is a member of each of them that is followed here.

    Attributes:
        fan_out: how it tells clients.
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
        # The named rooms that each client is in, by name.
        self._joined: dict[Client, dict[str, LocalRoom]] = {}
        # In which epoch each partition is open, as far as this gateway's clients know.
        self._epochs: dict[int, int] = {}

    def attach(self, subscriber: Subscriber) -> None:
        """Say where channels are followed; the subscriber's callbacks are this hub's."""
        self._subscriber = subscriber

    def renew(self) -> None:
        """Leave the broker's server, which was left behind by a failover."""
        if self._subscriber is not None:
            self._subscriber.renew()

    def rooms_of(self, client: Client) -> dict[str, LocalRoom]:
        """The named rooms that a client is in, by name. Not to be changed."""
        return self._joined.get(client, _NOWHERE)

    def joined(self, client: Client, name: str) -> LocalRoom | None:
        """A named room, if a client is in it."""
        return self._joined.get(client, _NOWHERE).get(name)

    def release_deferred(self) -> None:
        """Hand out what is held for members, before who they are changes."""
        self._flusher.release_deferred()

    def admit(self, client: Client, local: LocalRoom, room: Room) -> None:
        """Make a client a member of a room; what happens in it waits until `go_live`.

        Raises:
            ChatError: `forbidden` where it was put out since the room was read.
        """
        if not may_stay(local.room, client.display_name, room.head):
            if not local.members:
                self.unfollow(local)
            raise no_longer_admitted()
        local.members[client] = Subscription(room.head)
        if room.kind == "room":
            self._joined.setdefault(client, {})[local.name] = local

    def go_live(self, client: Client, local: LocalRoom, seen: int) -> None:
        """Give a member what waited for it above `seen`, and everything from now on at once."""
        subscription = local.members.get(client)
        if subscription is None or subscription.waiting is None:
            return  # it has left meanwhile, or is live already
        self._flusher.release_deferred()
        self.fan_out.deliver_waiting(client, subscription, local.room, seen)

    def leave(self, client: Client, local: LocalRoom) -> None:
        """End a client's subscription to a named room; one without members is not followed."""
        self._flusher.release_deferred()
        local.members.pop(client, None)
        if joined := self._joined.get(client):
            joined.pop(local.name, None)
            if not joined:
                del self._joined[client]
        if not local.members:
            self.unfollow(local)

    def subscribe_to_chats(self, client: Client, user: str) -> None:
        """Subscribe a client to all direct chats of its user: to what happens from now on."""
        self.fan_out.users[user].add(client)
        client.chats_subscribed = True
        for local in self.chats_of(user):
            local.members[client] = _to_chat(client, local.head)

    def unsubscribe_from_chats(self, client: Client, user: str) -> None:
        """Undo `listen`."""
        client.chats_subscribed = False
        here = self.fan_out.users.get(user, set())
        here.discard(client)
        if not here:
            self.fan_out.users.pop(user, None)
        for local in self.chats_of(user):
            local.members.pop(client, None)

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
            room, channel, self._replay, self._deliver, lambda local: require_resume([local])
        )
        local.last_event_at -= idle
        for user in room.users:
            self._chats_of[user].add(local)
        for client in self.fan_out.subscribers(*room.users):
            local.members[client] = _to_chat(client, 0)
        if self._subscriber is None:
            raise AssertionError("the hub is attached before the first connection")
        self._subscriber.subscribe(channel)
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
                self._subscriber.unsubscribe(local.channel)

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
            for subscription in local.members.values():
                subscription.forget_cursors()
        require_resume(reopened)

    def check_epoch(self, number: int, epoch: int) -> bool:
        """Whether what is known of cursors in a partition's epoch still holds.

        The first of a newer epoch than was known may be less than what was told: all hear of the
        loss before it. What is of an older one may be lost, and comes after they heard.
        """
        known = self._epochs.setdefault(number, epoch)
        if epoch > known:
            self.opened(number, epoch)
        return epoch >= known

    def chats_of(self, user: str) -> list[LocalRoom]:
        """The direct chats of a user that are followed."""
        return list(self._chats_of.get(user, ()))

    def receive(self, channel: str, event: Event) -> bool:
        """Take an event from a room's channel; whether nobody else is to take it."""
        body = event.body
        if not event.seq and isinstance(body, CursorMoved) and body.epoch:
            number = partition_of_id(event.id)
            if not self.check_epoch(number, body.epoch):
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

    def _deliver(self, local: LocalRoom, event: Event) -> None:
        self.fan_out.deliver(local, event)
        body = event.body
        if type(body) is MessagePosted:
            return  # nearly always
        if isinstance(body, RoomDeleted) and local.room.kind == "direct":
            self.unfollow(local)
        elif isinstance(body, LogEvent) and (user := body.puts_out) is not None:
            self._end_memberships(local, event, user)

    def _end_memberships(self, local: LocalRoom, event: Event, user: str) -> None:
        """End a user's memberships, except those that began after what put them out."""
        for client, subscription in list(local.members.items()):
            if client.display_name == user and subscription.since < event.seq:
                if subscription.waiting is not None:
                    self.fan_out.tell_one(client, event, local.room)
                if client.recovery is not None:
                    client.recovery.required_offset = self.fan_out.offsets.count
                self.leave(client, local)


_NOWHERE: Final[dict[str, LocalRoom]] = {}


def _to_chat(client: Client, seen: int) -> Subscription:
    """A subscription to a chat: live, unless the client holds its chats."""
    return Subscription(seen=seen) if client.defers_chats else Subscription.live(seen)
