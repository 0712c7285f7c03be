"""Context managers that subscribe a client, and undo the subscription if their block fails."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final, NamedTuple

from gateway.access.authorization import not_admitted
from gateway.rooms.client import Client
from gateway.rooms.hub import Hub
from gateway.rooms.local_room import LocalRoom
from gateway.rooms.subscription import DeliveredRange, Subscription
from shared.errors import broker_unavailable
from shared.model.rooms import Room

SUBSCRIBE_TIMEOUT_SECONDS: Final = 5.0
"""Seconds that subscribing a room's channel, and reading its log once, may take."""


class PendingSubscription(NamedTuple):
    """A subscription whose events wait until `Hub.go_live`, or until it ends.

    Attributes:
        local: the room or chat. It is followed, so no event from here on is missed.
        delivered: the events that the client got before as they happened, where it was live.
    """

    local: LocalRoom
    subscription: Subscription
    delivered: DeliveredRange


@asynccontextmanager
async def subscribing(
    hub: Hub, client: Client, room: Room, idle: float = 0.0, *, resuming: bool = False
) -> AsyncIterator[PendingSubscription]:
    """Subscribe a client to a room or chat; events wait until `Hub.go_live`.

    The channel is subscribed before anything is read, so that each event is in the log that the
    block reads, or in the events that wait, or in both. Where the block fails the client is in the
    state from before: not in the room, or live, with the events that came meanwhile.

    Args:
        hub: the hub of the gateway.
        client: for a chat, it is subscribed to its user's chats already.
        room: the room or chat as it was when the client's right to enter was checked.
        idle: seconds since the room's last event.
        resuming: True to make events wait also for a client that is live in the room.

    Raises:
        ChatError: `broker_unavailable`; `forbidden` where the user was kicked or banned since the
            room was read, also while the block ran.
    """
    local = hub.follow(room, idle)
    local.refresh(room)
    hub.release_deferred()
    is_new = client not in local.members
    if is_new:
        hub.admit(client, local, room)
    subscription = local.members[client]
    delivered, live_after = DeliveredRange(), local.head
    if subscription.waiting is None and resuming:
        # Example: a live client resumes a chat from 5 that is followed here since head 8, and whose
        # events 9 and 10 it got live. The replay then sends 6 to 8 and leaves 9 and 10 out.
        live_after = max(subscription.caught_up_to, local.room.head)
        delivered = DeliveredRange(live_after, local.head)
        subscription.waiting = []
    try:
        await _wait_until_synced(local)
        _check_still_member(client, local)
        yield PendingSubscription(local, subscription, delivered)
        _check_still_member(client, local)
    except BaseException:
        if is_new and room.kind == "room":
            hub.leave(client, local)
        elif resuming:
            hub.go_live(client, local, live_after)
        raise


@contextmanager
def subscribing_to_chats(hub: Hub, client: Client, user: str | None) -> Iterator[None]:
    """Unsubscribe a client from its user's chats if the block subscribes it and then fails."""
    was_subscribed = client.chats_subscribed
    try:
        yield
    except BaseException:
        if user is not None and client.chats_subscribed and not was_subscribed:
            hub.unsubscribe_from_chats(client, user)
        raise


@contextmanager
def deferring_chats(hub: Hub, client: Client, user: str) -> Iterator[None]:
    """Defer events of chats that a client subscribes to, until the block ends or `Hub.go_live`.

    Otherwise an event that happens now would be sent before those that the client missed.
    """
    client.defers_chats = True
    try:
        yield
    finally:
        client.defers_chats = False
        for local in hub.chats_of(user):
            hub.go_live(client, local, 0)


async def _wait_until_synced(local: LocalRoom) -> None:
    try:
        async with asyncio.timeout(SUBSCRIBE_TIMEOUT_SECONDS):
            await asyncio.shield(local.synced)
    except TimeoutError:
        raise broker_unavailable() from None


def _check_still_member(client: Client, local: LocalRoom) -> None:
    if client not in local.members:
        raise not_admitted(local.room, client.display_name)
