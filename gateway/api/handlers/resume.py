"""Handler of `resume`: sends the events that a client missed, then live events."""

from contextlib import ExitStack
from functools import partial
from typing import Final

from gateway.access.shares.slot import without_slot
from gateway.api.chat_subscription import subscribe_to_chats
from gateway.api.gateway import Gateway
from gateway.api.outcome import ReplyThen
from gateway.api.targets import Target
from gateway.protocols.announcements import Announcement
from gateway.protocols.payloads import ResumedPayload, ResumedPlace, SeenPayload, user_out
from gateway.rooms.client import Client
from gateway.rooms.store.replay import Replayed
from gateway.rooms.subscribing import (
    PendingSubscription,
    deferring_chats,
    subscribing,
    subscribing_to_chats,
)
from gateway.rooms.subscription import DeliveredRange
from shared.errors import ChatError, broker_unavailable
from shared.metrics import LabelledCounter
from shared.model import commands
from shared.model.rooms import Room

MAX_EVENTS_READ: Final = 100
"""Events that are read at a time. A long page of long messages would wait here for slow readers."""

RESUMES = LabelledCounter("resumes", "Rooms and chats that a client came back to.", "outcome")

NOT_RECOVERED: Final = ResumedPlace(recovered=False, head=0)
"""The reply for a place that does not exist, and for one that the user may not see."""

BANNED: Final = ResumedPlace(recovered=False, head=0, reason="banned")
"""The reply for a room without a password that the user is banned from."""

PLACES_PER_TOKEN: Final = 10
"""Rooms and chats of a `resume` that cost as much as a join."""


def cost(command: commands.Resume) -> int:
    """Return the tokens that a resume costs."""
    return -(-(len(command.rooms) + len(command.chats)) // PLACES_PER_TOKEN) or 1


async def resume(
    gateway: Gateway, client: Client, command: commands.Resume, targets: list[Target]
) -> ReplyThen:
    """Send the missed events; live events wait until the reply is in the outbox.

    Args:
        gateway: the gateway that the client is connected to.
        client: the client that resumes.
        command: the last seq that the client has of each room and chat.
        targets: the rooms and then the chats, in the command's order; empty targets for those that
            the client may not see.
    """
    rooms, chats = {}, {}
    hub, found = gateway.rooms.hub, iter(targets)
    # Where this fails, events that wait are sent, and the client is unsubscribed from chats that
    # it was not subscribed to before.
    with subscribing_to_chats(hub, client, client.username), ExitStack() as opened:
        for name, seq in command.rooms.items():
            target = next(found)
            room = _room_to_resume(client, target, seq, command.grants.get(name), gateway)
            resumed = await resume_place(gateway, client, room, seq, opened)
            rooms[name] = BANNED if target.unseen().reason else resumed
        if any(target.room for target in targets[len(rooms) :]):
            await _subscribe_in_order(gateway, client, opened)
        for chat_id, seq in command.chats.items():
            chat = next(found).room
            chats[str(chat_id)] = await resume_place(gateway, client, chat, seq, opened)
        await gateway.clients.sessions.save(client)
        return ReplyThen(ResumedPayload(rooms, chats), opened.pop_all().close)


async def resume_place(
    gateway: Gateway, client: Client, room: Room | None, seq: int, opened: ExitStack
) -> ResumedPlace:
    """Subscribe a client to a room or chat, and send the events after `seq`.

    Args:
        gateway: the gateway that the client is connected to.
        client: for a chat, it is subscribed to its user's chats already.
        room: a room or chat that the client may be in; None where there is none.
        seq: the last seq that the client has.
        opened: gets a callback that makes the subscription live; live events wait until then.

    Raises:
        ChatError: `broker_unavailable`, `storage_unavailable`.
    """
    idle = 0.0
    if room is not None and room.kind == "direct":
        held = await gateway.rooms.directory.held(room.key)
        is_same = held is not None and held.room.id == room.id
        room, idle = (held.room, held.idle) if held and is_same else (None, 0.0)
    if room is None:
        return NOT_RECOVERED
    hub = gateway.rooms.hub
    try:
        async with subscribing(hub, client, room, idle, resuming=True) as pending:
            place, caught_up_to = await _replay(gateway, client, pending, room, seq)
    except ChatError as error:
        if error.code != "forbidden":
            raise
        # The user was kicked or banned since the room was read.
        return BANNED if error.reason else NOT_RECOVERED
    if room.kind == "room":
        gateway.cluster.attendance.came_back(client, pending.local)
    opened.callback(partial(hub.go_live, client, pending.local, caught_up_to))
    return place


def _room_to_resume(
    client: Client, target: Target, seq: int, grant: str | None, gateway: Gateway
) -> Room | None:
    """Return the room of a target if the client may enter it by a resume; else None."""
    room, user = target.room, client.display_name
    if room is None or target.inside:
        return room
    # A user who was kicked by event 11 may join again, but not by `resume` from 9: the kick would
    # have no effect on a client that resumes at once. It has to send `joinRoom`.
    opens = room.standings.kicked.get(user, 0) <= seq and (
        not room.protected or gateway.access.grants.holds(grant, user, room)
    )
    return room if opens else None


async def _subscribe_in_order(gateway: Gateway, client: Client, opened: ExitStack) -> None:
    """Subscribe a client to its user's chats; their events wait until missed ones are sent."""
    if client.chats_subscribed or client.username is None:
        return
    opened.enter_context(deferring_chats(gateway.rooms.hub, client, client.username))
    await subscribe_to_chats(gateway, client)


async def _replay(
    gateway: Gateway, client: Client, pending: PendingSubscription, room: Room, seq: int
) -> tuple[ResumedPlace, int]:
    """Send the events after `seq`, and the cursors.

    Returns:
        The place's part of the reply, and the seq after which live events follow.
    """
    at, recovered, from_log, head = seq, True, True, 0
    more = True
    while more:
        # Nothing is read ahead for a client that does not take what it was sent.
        await _wait_until_low(client)
        page = await gateway.rooms.replay.after(room, at, MAX_EVENTS_READ)
        head, from_log = max(head, page.head), from_log and page.from_log
        if at == seq and not page.unbroken and seq > 0:
            recovered = False
            break
        at, more = _tell(gateway, client, pending.delivered, room, page, at)
    RESUMES.add("recovered" if recovered else "too_old")
    head = max(head, at) if recovered else head or room.head
    # A replay that needed SQL goes far back, so any cursor may have moved since.
    await _send_cursors(gateway, client, pending, room, stored=not from_log)
    # Without recovery the client loads the history anew, and gets live events above the head.
    return ResumedPlace(recovered=recovered, head=head), at if recovered else head


async def _wait_until_low(client: Client) -> None:
    """Wait until a client has taken most of what it was sent; others may work meanwhile."""
    if not client.connection.takes_more():
        async with without_slot():
            await client.connection.wait_until_low()


def _tell(
    gateway: Gateway,
    client: Client,
    delivered: DeliveredRange,
    room: Room,
    page: Replayed,
    at: int,
) -> tuple[int, bool]:
    """Send the events of a page after the seq `at`, while the client takes them.

    Returns:
        The seq up to which all was sent, and True if there may be more.
    """
    for event in page.events:
        if not delivered.after < event.seq <= delivered.to:
            if not client.connection.takes_more():
                return at, True
            gateway.rooms.fan_out.tell_one(client, event, room)
        at = event.seq
    return page.up_to, page.more


async def _send_cursors(
    gateway: Gateway, client: Client, pending: PendingSubscription, room: Room, *, stored: bool
) -> None:
    """Send the cursors of other users.

    Args:
        gateway: reads the cursors.
        client: the client that resumes.
        pending: its subscription, which remembers the cursors that were sent.
        room: the room or chat.
        stored: True to send cursors from SQL too; False for those that the broker holds.

    Raises:
        ChatError: `broker_unavailable`, `storage_unavailable`. The resume fails then: without all
            cursors, a mark that the client shows could seem to go back.
    """
    epoch, cursors = await gateway.rooms.cursors.read(room, stored=stored)
    _check_epoch(gateway, room, epoch)
    for user, seen_seq in cursors.items():
        if not client.connection.takes_more():
            await _wait_until_low(client)
            _check_epoch(gateway, room, epoch)
        if user != client.username:
            gateway.rooms.fan_out.tell([client], [_seen(room, user, seen_seq)])
            pending.subscription.cursors[user] = seen_seq


def _check_epoch(gateway: Gateway, room: Room, epoch: int) -> None:
    """Raise `broker_unavailable` if the epoch that cursors are of has ended: they may be lost."""
    if not gateway.rooms.hub.check_epoch(gateway.cluster.keys.number_of(room.key), epoch):
        raise broker_unavailable()


def _seen(room: Room, user: str, seq: int) -> Announcement:
    payload = SeenPayload(user_out(user), seq)
    if room.kind == "direct":
        return Announcement("seen", payload, chat_id=room.id)
    return Announcement("seen", payload, room.name)
