"""Ways to subscribe a client that are undone where what follows fails."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final, NamedTuple

from gateway.access.authorization import no_longer_admitted
from gateway.rooms.client import Client
from gateway.rooms.hub import Hub
from gateway.rooms.local_room import LocalRoom
from gateway.rooms.subscription import DeliveredRange, Subscription
from shared.errors import broker_unavailable
from shared.model.rooms import Room

SUBSCRIBE_TIMEOUT_SECONDS: Final = 5.0
"""Seconds a room may take to be subscribed."""


class PendingSubscription(NamedTuple):
    """A subscription whose events wait, until `Hub.go_live` or its end.

    Attributes:
        local: the room or chat, followed: nothing that happens from here on is missed.
        subscription: the subscription.
        delivered: what came by itself before, where the client was live already.
    """

    local: LocalRoom
    subscription: Subscription
    delivered: DeliveredRange


@asynccontextmanager
async def subscribing(
    hub: Hub, client: Client, room: Room, idle: float = 0.0, *, again: bool = False
) -> AsyncIterator[PendingSubscription]:
    """Subscribe a client to a room, or to a chat of its user; events wait until `Hub.go_live`.

    Where the block fails the client is where it was before: not in the room; or live, with
    what came meanwhile.

    Args:
        hub: of the gateway.
        client: the client. Of a chat it hears already (`Hub.listen`).
        room: the room or chat, as it was when it was found that the client may be in it.
        idle: seconds since its last event.
        again: let also a client wait that is live there already.

    Raises:
        ChatError: `broker_unavailable`; `forbidden` where the client was put out since the
            room was read, also while the block ran.
    """
    local = hub.follow(room, idle)
    local.refresh(room)
    hub.release_deferred()
    fresh = client not in local.members
    if fresh:
        hub.admit(client, local, room)
    subscription = local.members[client]
    delivered, before = DeliveredRange(), local.head
    if subscription.waiting is None and again:
        # It has what came after it was let in, or after the room is followed here.
        before = max(subscription.caught_up_to, local.room.head)
        delivered = DeliveredRange(before, local.head)
        subscription.waiting = []
    try:
        await _synced(local)
        _check_stays(client, local)
        yield PendingSubscription(local, subscription, delivered)
        _check_stays(client, local)
    except BaseException:
        if fresh and room.kind == "room":
            hub.leave(client, local)
        elif again:
            hub.go_live(client, local, before)
        raise


@contextmanager
def subscribing_to_chats(hub: Hub, client: Client, user: str | None) -> Iterator[None]:
    """Where the block fails, let a client hear of no chats that did not before."""
    heard = client.chats_subscribed
    try:
        yield
    except BaseException:
        if user is not None and client.chats_subscribed and not heard:
            hub.unsubscribe_from_chats(client, user)
        raise


@contextmanager
def deferring_chats(hub: Hub, client: Client, user: str) -> Iterator[None]:
    """Let all chats that a client begins to hear wait until the block ends, or `Hub.go_live`."""
    client.defers_chats = True
    try:
        yield
    finally:
        client.defers_chats = False
        for local in hub.chats_of(user):
            hub.go_live(client, local, 0)


async def _synced(local: LocalRoom) -> None:
    try:
        async with asyncio.timeout(SUBSCRIBE_TIMEOUT_SECONDS):
            await asyncio.shield(local.synced)
    except TimeoutError:
        raise broker_unavailable() from None


def _check_stays(client: Client, local: LocalRoom) -> None:
    if client not in local.members:
        raise no_longer_admitted()
