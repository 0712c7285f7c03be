"""The hub: the rooms that this gateway follows, and the subscriptions of its clients."""

from collections import defaultdict
from collections.abc import Callable
from typing import Final

from gateway.access.authorization import not_admitted
from gateway.access.roles import may_stay
from gateway.connections.flusher import Flusher
from gateway.rooms.client import Client
from gateway.rooms.fan_out import FanOut
from gateway.rooms.local_room import LocalRoom
from gateway.rooms.losses import require_resume
from gateway.rooms.people.typists import Typists
from gateway.rooms.store.replay import Replay
from gateway.rooms.subscription import Subscription
from shared.broker.partitions.keyspace import Keyspace
from shared.broker.transport.subscriber import Subscriber
from shared.model.events import CursorMoved, Event, TypingChanged
from shared.model.ids import partition_of_id, room_key
from shared.model.kinds import LogEvent
from shared.model.log_events import MessagePosted, RoomDeleted
from shared.model.rooms import Room
from shared.names import form_of


class Hub:
    """Follows rooms and chats, and keeps the subscriptions of clients to them.

    A subscription is an entry in its room's `members`, for named rooms and direct chats alike. A
    client joins named rooms one by one. It is subscribed to all direct chats of its user or to
    none: while it is, it is a member of each of them that is followed here.

    Attributes:
        fan_out: writes events into clients' outboxes.
        typists: tells clients who is typing.
        on_put_out: called after a client was put out of a room by a kick or a ban.
    """

    def __init__(self, keys: Keyspace, replay: Replay, flusher: Flusher) -> None:
        self._flusher = flusher
        self.fan_out = FanOut(flusher)
        self.typists = Typists(self.fan_out)
        self.on_put_out: Callable[[Client, LocalRoom], None] = lambda _client, _local: None
        self._keys = keys
        self._replay = replay
        self._rooms: dict[str, LocalRoom] = {}
        self._by_key: dict[str, LocalRoom] = {}
        self._subscriber: Subscriber | None = None
        self._chats_of: defaultdict[str, set[LocalRoom]] = defaultdict(set)
        # The named rooms that each client is in, by name.
        self._joined: dict[Client, dict[str, LocalRoom]] = {}
        # The epoch of each partition that clients have events or cursors of. A newer one is
        # announced by `resume_required` before anything of it is sent.
        self._epochs: dict[int, int] = {}

    def attach(self, subscriber: Subscriber) -> None:
        """Set the subscriber of channels, before the first connection."""
        self._subscriber = subscriber

    def renew(self) -> None:
        """Reconnect the subscriber, as a failover left its server behind."""
        if self._subscriber is not None:
            self._subscriber.renew()

    def rooms_of(self, client: Client) -> dict[str, LocalRoom]:
        """Return the named rooms that a client is in, by name. Do not change the dictionary."""
        return self._joined.get(client, _NO_ROOMS)

    def joined(self, client: Client, name: str) -> LocalRoom | None:
        """Return the named room that a name stands for in any spelling, if the client is in it."""
        joined = self._joined.get(client)
        if joined is None:
            return None
        return joined.get(name) or _by_form(joined, form_of(name))

    def release_deferred(self) -> None:
        """Put deferred frames into members' outboxes; required before members change."""
        self._flusher.release_deferred()

    def admit(self, client: Client, local: LocalRoom, room: Room) -> None:
        """Make a client a member of a room; its events wait until `go_live`.

        Args:
            client: becomes a member.
            local: the followed room.
            room: the room as it was when the client's right to enter was checked.

        Raises:
            ChatError: `forbidden` where the user was kicked or banned since then.
        """
        # Example: the check reads the room at head 10. Before the client is a member, a kick of
        # its user (event 11) is delivered here, and `_end_memberships` does not find the client.
        # `local.room` knows the kick, and 11 > 10 refuses.
        if not may_stay(local.room, client.display_name, room.head):
            if not local.members:
                self.unfollow(local)
            raise not_admitted(local.room, client.display_name)
        local.members[client] = Subscription(room.head)
        if room.kind == "room":
            self._joined.setdefault(client, {})[local.name] = local

    def go_live(self, client: Client, local: LocalRoom, caught_up_to: int) -> None:
        """Send a member its deferred events above `caught_up_to`, and later ones at once."""
        subscription = local.members.get(client)
        if subscription is None or subscription.waiting is None:
            return  # the client has left meanwhile, or is live already
        self._flusher.release_deferred()
        self.fan_out.deliver_waiting(client, subscription, local.room, caught_up_to)
        if subscription.typing_is_due:
            subscription.typing_is_due = False
            self.typists.tell(client, local)

    def owe_typing(self, client: Client) -> None:
        """Tell a recovered client, once its subscriptions are live, who is typing there.

        It was not told of what ended while it was away, and would show "ann is typing..." for good.
        """
        chats = self.chats_of(client.username) if client.username else []
        for local in (*self.rooms_of(client).values(), *chats):
            if subscription := local.members.get(client):
                subscription.typing_is_due = True

    def leave(self, client: Client, local: LocalRoom) -> None:
        """End a client's subscription to a named room; unfollow the room with its last member."""
        self._flusher.release_deferred()
        local.members.pop(client, None)
        if joined := self._joined.get(client):
            joined.pop(local.name, None)
            if not joined:
                del self._joined[client]
        if not local.members:
            self.unfollow(local)

    def subscribe_to_chats(self, client: Client, user: str) -> None:
        """Subscribe a client to all direct chats of its user, to events from now on."""
        self.fan_out.users[user].add(client)
        client.chats_subscribed = True
        for local in self.chats_of(user):
            local.members[client] = _chat_subscription(client, local.head)

    def unsubscribe_from_chats(self, client: Client, user: str) -> None:
        """End a client's subscription to its user's direct chats."""
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
            room: the room; its `head` is the seq after which events are delivered.
            idle: seconds since the room's last event.
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
            local.members[client] = _chat_subscription(client, 0)
        if self._subscriber is None:
            raise AssertionError("attach a subscriber before the first connection")
        self._subscriber.subscribe(channel)
        return local

    def unfollow(self, local: LocalRoom) -> None:
        """Stop following a room."""
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
        """Return the room of this key, if it is followed."""
        return self._by_key.get(key)

    def followed_rooms(self) -> list[LocalRoom]:
        """Return all followed rooms and chats."""
        return list(self._rooms.values())

    def opened(self, number: int, epoch: int) -> None:
        """Handle that a partition is open in an epoch.

        If the epoch is a new one, the broker may have lost accepted events of the one before: all
        members of the partition's rooms have to resume.
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
        """Return True if a cursor that was read or moved in an epoch may be sent to clients.

        A newer epoch than before is announced by `resume_required` first.
        """
        # Cursors must not seem to go back. Example: Bob's cursor was sent as 9 in epoch 1, and
        # Redis loses the move. In epoch 2 Bob's client moves it to 7. Without `resume_required`
        # before 7, Ann's client sees a seen mark vanish for no reason. The reverse: a move to 9 of
        # epoch 1, late on its way, comes after epoch 2 was announced. It is lost, so it is dropped.
        known = self._epochs.setdefault(number, epoch)
        if epoch > known:
            self.opened(number, epoch)
        return epoch >= known

    def chats_of(self, user: str) -> list[LocalRoom]:
        """Return the direct chats of a user that are followed."""
        return list(self._chats_of.get(user, ()))

    def receive(self, channel: str, event: Event) -> bool:
        """Handle an event if its channel is a followed room's; return True if it was handled."""
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
        """Catch a room up after its channel was subscribed, as earlier events may be missing."""
        if local := self._rooms.get(channel):
            local.catch_up()

    def _deliver(self, local: LocalRoom, event: Event) -> None:
        body = event.body
        if isinstance(body, TypingChanged):
            self.typists.receive(event, local)
            return
        self.fan_out.deliver(local, event)
        if type(body) is MessagePosted:
            self.typists.message_posted(local, body.sender)
            return  # the common case
        if isinstance(body, RoomDeleted) and local.room.kind == "direct":
            self.unfollow(local)
        elif isinstance(body, LogEvent) and (user := body.removed_user) is not None:
            self._end_memberships(local, event, user)

    def _end_memberships(self, local: LocalRoom, event: Event, user: str) -> None:
        """End a user's memberships at a kick or ban, except those that began after the event.

        The event may come late, from the log. Example: Bob is kicked by event 11 and joins again
        at head 12 through this gateway, which then fills a gap with event 11. Bob's subscription
        has `since` 12, so it stays.
        """
        for client, subscription in list(local.members.items()):
            if client.display_name == user and subscription.since < event.seq:
                if subscription.waiting is not None:
                    self.fan_out.tell_one(client, event, local.room)
                if client.recovery is not None:
                    client.recovery.required_offset = self.fan_out.offsets.count
                self.leave(client, local)
                self.on_put_out(client, local)


_NO_ROOMS: Final[dict[str, LocalRoom]] = {}


def _by_form(joined: dict[str, LocalRoom], form: str) -> LocalRoom | None:
    """Return the room of a form: the one that is stored under it, or the only one."""
    found = [local for local in joined.values() if local.form == form]
    general = (local for local in found if local.room.key == room_key(form))
    return next(general, None) or (found[0] if len(found) == 1 else None)


def _chat_subscription(client: Client, caught_up_to: int) -> Subscription:
    """Make a subscription to a chat, live unless the client defers events of its chats."""
    if client.defers_chats:
        return Subscription(caught_up_to=caught_up_to)
    return Subscription.live(caught_up_to)
