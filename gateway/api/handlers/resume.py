"""Resume: what a client missed of rooms and chats, then live events, on any gateway."""

from contextlib import ExitStack
from functools import partial
from typing import Final

from gateway.api.chat_subscription import subscribe_to_chats
from gateway.api.gateway import Gateway
from gateway.api.outcome import ReplyThen
from gateway.api.targets import Target
from gateway.protocols.announcements import Announcement
from gateway.protocols.payloads import ResumedPayload, ResumedPlace, SeenPayload, user_out
from gateway.rooms.client import Client
from gateway.rooms.subscribing import (
    PendingSubscription,
    deferring_chats,
    subscribing,
    subscribing_to_chats,
)
from shared.errors import ChatError, broker_unavailable
from shared.metrics import LabelledCounter
from shared.model import commands
from shared.model.rooms import Room

RESUMES = LabelledCounter("resumes", "Rooms and chats that a client came back to.", "outcome")

NOT_RECOVERED: Final = ResumedPlace(recovered=False, head=0)
"""No such room or chat, or not for this user: these look alike."""


async def resume(
    gateway: Gateway, client: Client, command: commands.Resume, targets: list[Target]
) -> ReplyThen:
    """Replay what was missed; live events wait until the reply has gone out.

    Args:
        gateway: where the client is connected.
        client: the client.
        command: the last seq it has of each room and chat.
        targets: the rooms, then the chats, in their order; nothing for those that it may not see.
    """
    rooms, chats = {}, {}
    hub, found = gateway.rooms.hub, iter(targets)
    # What waits is let go where this fails, too; what began to be heard is not heard then.
    with subscribing_to_chats(hub, client, client.username), ExitStack() as opened:
        for name, seq in command.rooms.items():
            room = _room_to_resume(client, next(found), seq, command.grants.get(name), gateway)
            rooms[name] = await resume_place(gateway, client, room, seq, opened)
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
    """Subscribe a client to a room or chat that it may be in, with what it missed after `seq`.

    Args:
        gateway: where the client is connected.
        client: the client; of a chat it hears already.
        room: where it has been, or may be for another reason; None for nowhere.
        seq: the last it has.
        opened: gets what lets live events come; they wait until it is closed.

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
        async with subscribing(hub, client, room, idle, resuming=True) as opening:
            place, seen = await _replay(gateway, client, opening, room, seq)
    except ChatError as error:
        if error.code != "forbidden":
            raise
        return NOT_RECOVERED  # it was put out since the room was read
    opened.callback(partial(hub.go_live, client, opening.local, seen))
    return place


def _room_to_resume(
    client: Client, target: Target, seq: int, grant: str | None, gateway: Gateway
) -> Room | None:
    """A room that opens to whoever had it up to `seq`; None for one that does not."""
    room, user = target.room, client.display_name
    if room is None or target.inside:
        return room
    # Whoever was kicked after that place is not inside: it takes a `joinRoom` to enter again.
    opens = room.standings.kicked.get(user, 0) <= seq and (
        not room.protected or gateway.access.grants.holds(grant, user, room)
    )
    return room if opens else None


async def _subscribe_in_order(gateway: Gateway, client: Client, opened: ExitStack) -> None:
    """Hear of chats; those that were not heard before wait until what was before is there."""
    if client.chats_subscribed or client.username is None:
        return
    opened.enter_context(deferring_chats(gateway.rooms.hub, client, client.username))
    await subscribe_to_chats(gateway, client)


async def _replay(
    gateway: Gateway, client: Client, opening: PendingSubscription, room: Room, seq: int
) -> tuple[ResumedPlace, int]:
    """Send what happened after `seq`, and where cursors are; up to which seq that was."""
    at, recovered, from_log, head = seq, True, True, 0
    delivered, more = opening.delivered, True
    while more:
        page = await gateway.rooms.replay.after(room, at)
        head, from_log = max(head, page.head), from_log and page.from_log
        if at == seq and not page.unbroken and seq > 0:
            recovered = False
            break
        for event in page.events:
            if not delivered.after < event.seq <= delivered.to:
                await client.connection.wait_until_low()
                gateway.rooms.fan_out.tell_one(client, event, room)
            at = event.seq
        more = page.more
    RESUMES.add("recovered" if recovered else "too_old")
    head = max(head, at) if recovered else head or room.head
    await _show_cursors(gateway, client, opening, room, all_of_them=not from_log)
    # Of a room that could not be gone on with, live events are news from the head on.
    return ResumedPlace(recovered=recovered, head=head), at if recovered else head


async def _show_cursors(
    gateway: Gateway, client: Client, opening: PendingSubscription, room: Room, *, all_of_them: bool
) -> None:
    """Tell how far others have seen; all cursors may have moved, or those that the broker knows.

    Raises:
        ChatError: `broker_unavailable`, `storage_unavailable`. Less than all may be less than what
            was told before.
    """
    epoch, cursors = await gateway.rooms.cursors.read(room, stored=all_of_them)
    if not gateway.rooms.hub.check_epoch(gateway.cluster.keys.number_of(room.key), epoch):
        raise broker_unavailable()  # that epoch is over, and whoever is here was told
    for user, place in cursors.items():
        if user != client.username:
            gateway.rooms.fan_out.tell([client], [_seen(room, user, place)])
            opening.subscription.cursors[user] = place


def _seen(room: Room, user: str, seq: int) -> Announcement:
    payload = SeenPayload(user_out(user), seq)
    if room.kind == "direct":
        return Announcement("seen", payload, chat_id=room.id)
    return Announcement("seen", payload, room.name)
