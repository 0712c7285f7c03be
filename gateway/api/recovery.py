"""Recovery of a Socket.IO client that lost its connection, through any gateway.

The client shows its `pid`, the secret of its session, and the offset of the last event it got. The
session, which its last gateway saved, has the client's rooms and the seq up to which events of each
were sent. The offset tells if the client has all of that, and is exact for the room of its event.
If the client lacks some, recovery starts from the acknowledged seqs; then some events come twice,
with the same `id` (`gateway/recovery/progress.py`). If a room cannot be continued, nothing is
recovered, and the client is told so.

Source: socket.io/docs/v4/connection-state-recovery, for the client's data and the answer.
"""

import asyncio
from contextlib import ExitStack
from typing import Final, NamedTuple

from gateway.access.authorization import Verdict
from gateway.api import lifecycle
from gateway.api.actions import EVENTS
from gateway.api.chat_subscription import subscribe_to_chats
from gateway.api.gateway import Gateway
from gateway.api.handlers import rooms
from gateway.api.handlers.resume import resume_place
from gateway.api.pages import messages_of
from gateway.api.targets import Target
from gateway.protocols.offsets import Offset, parse
from gateway.protocols.payloads import ChatDeletedPayload, chat_payload
from gateway.recovery.progress import has_up_to, is_of_session, last_seq
from gateway.recovery.tracker import PingCounts
from gateway.rooms.client import Client
from gateway.rooms.subscribing import deferring_chats, subscribing_to_chats
from shared.broker.sessions.sessions import TakenSession
from shared.errors import ChatError
from shared.model.ids import TOP
from shared.model.rooms import Room
from shared.model.sessions import RoomProgress
from shared.protocol.limits import DEFAULT_PAGE_ITEMS

PAGE_MESSAGES: Final = 200
"""Messages that are read at a time in the search for the first one that was missed."""


class NotRecovered(Exception):
    """The client's session cannot be recovered: the client gets a new one, and is told so."""


class RecoveryRequest(NamedTuple):
    """The data by which a client asks for recovery.

    Attributes:
        pid: secret of the session.
        offset: offset of the last event that the client got, as it sent it; None for no event.
        username: the client's user; None where it gave no name.
    """

    pid: str
    offset: object = None
    username: str | None = None


class RoomReturn(NamedTuple):
    """A room that a client is recovered into.

    Attributes:
        seq: the last seq that the client is known to have; None where it may not know yet that it
            has joined the room, because the reply may have been lost.
        since: the room's head when the client was let in.
    """

    room: Room
    seq: int | None
    since: int


class RecoveryPlan(NamedTuple):
    """The checked steps of a recovery.

    Attributes:
        taken: the session.
        offset: the offset that the client showed; None where it says nothing of this session.
        rooms: the rooms that the client was in.
        chats: recently active direct chats, each with the last seq that the client is known to
            have.
        gone: ids of chats that were deleted meanwhile.
    """

    taken: TakenSession
    offset: Offset | None
    rooms: list[RoomReturn]
    chats: list[tuple[Room, int]]
    gone: list[int]


async def prepare(
    gateway: Gateway, client: Client, shown: RecoveryRequest, ping_counts: PingCounts
) -> RecoveryPlan:
    """Take a session over, and check that all its rooms and chats can be continued.

    Raises:
        NotRecovered: the session or one of its rooms cannot be continued.
    """
    offset = parse(shown.offset)
    if shown.offset is not None and offset is None:
        raise NotRecovered
    try:
        taken = await _take(gateway, client, shown, offset, ping_counts)
        offset = offset if is_of_session(taken.session, offset) else None
        has_all = has_up_to(taken.session, offset, taken.session.sent)
        user = taken.session.username or client.display_name
        found = await asyncio.gather(
            *(
                _find_room(gateway, user, name, progress, last_seq(progress, has_all, offset))
                for name, progress in taken.session.rooms.items()
            )
        )
        plan = RecoveryPlan(taken, offset, list(found), [], [])
        for chat_id, progress in taken.session.chats.items():
            await _find_chat(gateway, plan, chat_id, last_seq(progress, has_all, offset) or 0)
    except (ChatError, NotRecovered):
        gateway.clients.sessions.give_up(client)
        raise NotRecovered from None
    client.take_over(client.connection.sid, taken.session.username)
    return plan


async def _take(
    gateway: Gateway,
    client: Client,
    shown: RecoveryRequest,
    offset: Offset | None,
    ping_counts: PingCounts,
) -> TakenSession:
    claimant = gateway.access.identity.claimant(shown.username)
    taken = await gateway.clients.sessions.take(client, shown.pid, claimant, ping_counts)
    if taken is None:
        raise NotRecovered
    # The end of a membership is in no log that the client will replay. Example: a kick from "den"
    # was written as count 120, and the session has no "den" any more. A client that shows count 118
    # would be "recovered" and show a room that it is not in, so it has to begin anew.
    if not has_up_to(taken.session, offset, taken.session.required_offset):
        raise NotRecovered
    return taken


async def carry_out(gateway: Gateway, client: Client, plan: RecoveryPlan) -> None:
    """Send a client the events that it missed, in order, and make its subscriptions live.

    The client has been told already that it is recovered.

    Raises:
        ChatError: the broker or the database is away. The caller ends the connection, so that the
            client tries again.
        NotRecovered: a room has changed since `prepare`. The caller ends the connection.
    """
    session = plan.taken.session
    lifecycle.connected(gateway, client, announce=session.left)
    # Where it fails the client is unsubscribed from its chats: an event that comes now would be
    # sent before those that it lacks.
    with subscribing_to_chats(gateway.rooms.hub, client, session.username), ExitStack() as opened:
        for back in plan.rooms:
            await _enter(gateway, client, back, opened)
        chats = await _carry_out_chats(gateway, client, plan, opened)
        gateway.rooms.hub.owe_typing(client)
    if session.online and session.username is not None:
        gateway.cluster.presence.set_online(session.username, client)
        client.online = True
    acknowledged = {room.id: seq for room, seq, _ in plan.rooms if seq is not None}
    await gateway.clients.sessions.settle(
        client, acknowledged | {chat.id: seq for chat, seq in chats}
    )


async def _enter(gateway: Gateway, client: Client, back: RoomReturn, opened: ExitStack) -> None:
    room, seq, since = back
    if seq is None:
        await client.connection.wait_until_low()
        write = messages_of(gateway, client, room)
        page = await gateway.rooms.history.newest(room, DEFAULT_PAGE_ITEMS, since + 1, write)
        rooms.show_page(gateway, client, room, page, since)
        seq = since
    if not (await resume_place(gateway, client, room, seq, opened)).recovered:
        raise NotRecovered


async def _carry_out_chats(
    gateway: Gateway, client: Client, plan: RecoveryPlan, opened: ExitStack
) -> list[tuple[Room, int]]:
    user = client.username
    if not plan.taken.session.chats_subscribed or user is None:
        return []
    # New events wait until the missed ones are found and sent.
    opened.enter_context(deferring_chats(gateway.rooms.hub, client, user))
    await subscribe_to_chats(gateway, client)
    for chat_id in plan.gone:
        offset = gateway.rooms.fan_out.next_offset(client, chat_id, 0)
        if client.recovery is not None:
            client.recovery.required_offset = client.recovery.last_direct_offset
        client.connection.emit("chatDeleted", ChatDeletedPayload(chat_id), offset=offset)
    for chat, seq in plan.chats:
        if seq == 0:  # the client may not know this chat
            client.connection.emit("newChat", chat_payload(chat))
    chats = [*plan.chats, *await _woken_chats(gateway, client, plan)]
    for chat, seq in chats:
        if not (await resume_place(gateway, client, chat, seq, opened)).recovered:
            raise NotRecovered
    return chats


async def _find_room(
    gateway: Gateway, user: str, name: str, progress: RoomProgress, seq: int | None
) -> RoomReturn:
    room = await gateway.rooms.directory.named(name)
    if not _is_allowed(gateway, user, room):
        raise NotRecovered
    if room is None or room.id != progress.room_id:
        raise NotRecovered
    if progress.since < room.min_valid_since(user):
        raise NotRecovered  # a kick, or a new password, after the client was let in
    await _check_seq(gateway, room, progress.since if seq is None else seq)
    return RoomReturn(room, seq, progress.since)


async def _find_chat(gateway: Gateway, plan: RecoveryPlan, chat_id: int, seq: int) -> None:
    chat = await gateway.rooms.directory.chat(chat_id)
    if chat is None:
        plan.gone.append(chat_id)
    elif _is_allowed(gateway, plan.taken.session.username, chat):
        await _check_seq(gateway, chat, seq)
        plan.chats.append((chat, seq))


def _is_allowed(gateway: Gateway, user: str | None, room: Room | None) -> bool:
    """Return True if the rule of `resume` still allows the user into a room or chat."""
    rule = EVENTS["resume"].rule
    verdict = gateway.access.authorization.judge(rule, _SessionPrincipal(user), Target(room))
    return verdict is Verdict.ALLOWED


class _SessionPrincipal(NamedTuple):
    """The user of a session."""

    username: str | None

    @property
    def display_name(self) -> str:
        return self.username or ""


async def _check_seq(gateway: Gateway, room: Room, seq: int) -> None:
    """Raise `NotRecovered` if the event at `seq` was lost, as nothing can be replayed after it."""
    if seq and not (await gateway.rooms.replay.after(room, seq)).unbroken:
        raise NotRecovered


async def _woken_chats(
    gateway: Gateway, client: Client, plan: RecoveryPlan
) -> list[tuple[Room, int]]:
    """Find chats that were quiet when the session was saved and have had events since.

    The session names the chats that its gateway followed, which it does for longer than
    `wake_after` after a chat's last event. So in a chat that the session does not name, all
    messages later than `wake_after` before the save are new to the client.

    Returns:
        The chats, each with the seq of the last message that is not new.
    """
    user, taken = client.username, plan.taken
    if user is None:
        return []
    known = taken.session.chats.keys()
    wake_after = gateway.settings.wake_after * 1000
    woken = []
    for held in await gateway.rooms.chats.held(user):
        chat, since = held.room, int(taken.at - wake_after)
        if chat.id in known or held.idle * 1000 >= taken.age + wake_after:
            continue
        if chat.created_at >= since:
            client.connection.emit("newChat", chat_payload(chat))
        seq = await _last_before(gateway, chat, since)
        if plan.offset and plan.offset.room_id == chat.id:
            seq = max(seq, plan.offset.seq)
        woken.append((chat, seq))
    return woken


async def _last_before(gateway: Gateway, chat: Room, moment: int) -> int:
    """Return the seq of the last message before a moment; 0 for none.

    Args:
        gateway: reads the chat's history.
        chat: the direct chat.
        moment: milliseconds since 1970.
    """
    before: int | None = TOP
    while before is not None:
        page = await gateway.rooms.history.newest(chat, PAGE_MESSAGES, before)
        for item in reversed(page.items):
            if item.created_at < moment:
                return item.seq
        before = page.next
    return 0
