"""Recovery: a Socket.IO client that lost its connection is back where it was, on any gateway.

It shows its `pid`, which opens the session that its last gateway kept, and the offset of the last
event it got. The session says where the client was and how far it had been sent each room when it
was kept; the offset says whether the client has all of that, and is exact for its own room. Where
it does not have all, recovery goes on from where the client surely was: then some of it comes once
more, with the same `id`. What cannot be gone on with is not recovered at all.

Source: socket.io/docs/v4/connection-state-recovery, for what a client shows and is answered.
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
from gateway.api.targets import Target
from gateway.protocols.offsets import Offset, parse
from gateway.protocols.payloads import ChatDeletedPayload, chat_payload
from gateway.recovery.tracker import PingCounts
from gateway.rooms.client import Client
from gateway.rooms.subscribing import deferring_chats, subscribing_to_chats
from shared.broker.sessions.sessions import TakenSession
from shared.errors import ChatError
from shared.model.ids import TOP, room_key
from shared.model.rooms import Room
from shared.model.sessions import ChatProgress, RoomProgress, SessionState
from shared.protocol.limits import DEFAULT_PAGE_ITEMS

PAGE_MESSAGES: Final = 200
"""Messages looked at at a time for the first one that was missed."""


class NotRecovered(Exception):
    """A client cannot go on from where it was: it begins anew, and is told so."""


class RecoveryRequest(NamedTuple):
    """What a client shows when it comes back: `pid`, and `offset` unless it got no event yet."""

    pid: str
    offset: object = None
    username: str | None = None


class RoomReturn(NamedTuple):
    """A room that a client comes back to.

    Attributes:
        seq: the last that it surely has; None where it may not know that it is in the room.
        since: the room's head when it was let in. What was before that it has in no other way
            than by the history that joining shows.
    """

    room: Room
    seq: int | None
    since: int


class RecoveryPlan(NamedTuple):
    """How a client is brought back.

    Attributes:
        taken: its session.
        offset: which it showed.
        rooms: those it was in.
        chats: direct chats with news lately, each with the last seq that it surely has.
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
    """Take a session over, and find out where its client can go on.

    Raises:
        NotRecovered: it cannot.
    """
    offset = parse(shown.offset)
    if shown.offset is not None and offset is None:
        raise NotRecovered
    try:
        taken = await _take(gateway, client, shown, offset, ping_counts)
        offset = offset if _is_of(taken.session, offset) else None
        whole = _has(taken.session, offset, taken.session.sent)
        user = taken.session.username or client.display_name
        found = await asyncio.gather(
            *(
                _find_room(gateway, user, name, place, _last_of(place, whole, offset))
                for name, place in taken.session.rooms.items()
            )
        )
        plan = RecoveryPlan(taken, offset, list(found), [], [])
        for chat_id, place in taken.session.chats.items():
            await _find_chat(gateway, plan, chat_id, _last_of(place, whole, offset) or 0)
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
    identity = gateway.access.identity
    taken = await gateway.clients.sessions.take(client, shown.pid, ping_counts)
    if taken is None or not identity.may_take_over(shown.username, taken.session.username):
        raise NotRecovered
    if not _has(taken.session, offset, taken.session.must_have):
        raise NotRecovered
    return taken


async def carry_out(gateway: Gateway, client: Client, plan: RecoveryPlan) -> None:
    """Bring a client back that has been told so: what it missed, in order, then live events.

    Raises:
        ChatError: the broker or the database is away; its connection is to be ended, so that it
            tries again.
        NotRecovered: a room is not what it was a moment ago; likewise.
    """
    session = plan.taken.session
    lifecycle.connected(gateway, client, announce=session.left)
    # Where it fails the client hears of no chats: what came now would come before what it lacks.
    with subscribing_to_chats(gateway.rooms.hub, client, session.username), ExitStack() as opened:
        for back in plan.rooms:
            await _enter(gateway, client, back, opened)
        chats = await _carry_out_chats(gateway, client, plan, opened)
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
        page = await gateway.rooms.history.newest(room, DEFAULT_PAGE_ITEMS, since + 1)
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
    # What comes from now on waits until it is known what was before.
    opened.enter_context(deferring_chats(gateway.rooms.hub, client, user))
    await subscribe_to_chats(gateway, client)
    for chat_id in plan.gone:
        offset = gateway.rooms.fan_out.next_offset(client, chat_id, 0)
        if client.recovery is not None:
            client.recovery.required_offset = client.recovery.last_direct_offset
        client.connection.emit("chatDeleted", ChatDeletedPayload(chat_id), offset=offset)
    for chat, seq in plan.chats:
        if seq == 0:  # it may not know of it
            client.connection.emit("newChat", chat_payload(chat))
    chats = [*plan.chats, *await _woken_chats(gateway, client, plan)]
    for chat, seq in chats:
        if not (await resume_place(gateway, client, chat, seq, opened)).recovered:
            raise NotRecovered
    return chats


def _is_of(session: SessionState, offset: Offset | None) -> bool:
    """Whether a session gave an offset, and not one that its client had before."""
    return offset is not None and any(
        offset.incarnation == incarnation and offset.count > came
        for incarnation, came in session.incarnations
    )


def _has(session: SessionState, offset: Offset | None, count: int) -> bool:
    """Whether a client has all that its last gateway had sent it up to a count of offsets."""
    if not count:
        return True
    incarnation = session.incarnations[-1][0]
    return offset is not None and offset.incarnation == incarnation and offset.count >= count


def _last_of(place: RoomProgress | ChatProgress, whole: bool, offset: Offset | None) -> int | None:  # noqa: FBT001
    """The last seq that a client surely has; None if it may not know that it is in the room."""
    last = place.sent if whole else place.acknowledged
    if offset is None or offset.room_id != place.room_id:
        return last
    return max(last or 0, offset.seq)


async def _find_room(
    gateway: Gateway, user: str, name: str, place: RoomProgress, seq: int | None
) -> RoomReturn:
    room = await gateway.rooms.directory.room(room_key(name))
    if not _may(gateway, user, room):
        raise NotRecovered
    if room is None or room.id != place.room_id or place.since < room.min_valid_since(user):
        raise NotRecovered
    await _check_place(gateway, room, place.since if seq is None else seq)
    return RoomReturn(room, seq, place.since)


async def _find_chat(gateway: Gateway, plan: RecoveryPlan, chat_id: int, seq: int) -> None:
    chat = await gateway.rooms.directory.chat(chat_id)
    if chat is None:
        plan.gone.append(chat_id)
    elif _may(gateway, plan.taken.session.username, chat):
        await _check_place(gateway, chat, seq)
        plan.chats.append((chat, seq))


def _may(gateway: Gateway, user: str | None, room: Room | None) -> bool:
    """Whether a session's user may still be in a room or a chat: by the rule of `resume`."""
    rule = EVENTS["resume"].rule
    verdict = gateway.access.authorization.judge(rule, _SessionPrincipal(user), Target(room))
    return verdict is Verdict.ALLOWED


class _SessionPrincipal(NamedTuple):
    """The user of a session."""

    username: str | None

    @property
    def display_name(self) -> str:
        return self.username or ""


async def _check_place(gateway: Gateway, room: Room, seq: int) -> None:
    if seq and not (await gateway.rooms.replay.after(room, seq)).unbroken:
        raise NotRecovered


async def _woken_chats(
    gateway: Gateway, client: Client, plan: RecoveryPlan
) -> list[tuple[Room, int]]:
    """Chats that were quiet when the session was kept, and have had news since.

    A gateway follows a chat for longer than `wake_after` from its last event on. So of one that
    the session does not name, everything younger than that, as of then, is news.
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
    """The seq of the last message before a moment, milliseconds since 1970; 0 for none."""
    before = TOP
    while items := (await gateway.rooms.history.newest(chat, PAGE_MESSAGES, before)).items:
        for item in reversed(items):
            if item.created_at < moment:
                return item.seq
        before = items[0].seq
    return 0
