"""Recovery: a Socket.IO client that lost its connection is back where it was, on any gateway.

It shows its `pid`, which opens the session that its last gateway kept, and the offset of the last
event it got. The session says where the client was and how far it had been sent each room when it
was kept; the offset says whether the client has all of that, and is exact for its own room. Where
it does not have all, recovery goes on from where the client surely was: then some of it comes once
more, with the same `id`. What cannot be gone on with is not recovered at all.

Source: socket.io/docs/v4/connection-state-recovery, for what a client shows and is answered.
"""

import asyncio
from typing import Final, NamedTuple

from gateway.access.authorization import Verdict
from gateway.api.handlers import people, rooms
from gateway.api.handlers.places import hear_chats, stop_hearing
from gateway.api.handlers.resume import LetGo, resume_chat, resume_room
from gateway.api.services import Services
from gateway.connections.connection import Connection
from gateway.protocols.offsets import Offset, parse
from gateway.protocols.payloads import ChatDeletedPayload, chat_payload
from gateway.recovery.tracker import Heart
from shared.broker.rooms.answers import Held
from shared.broker.sessions.sessions import Taken
from shared.errors import ChatError
from shared.model.ids import TOP, room_key
from shared.model.rooms import Room
from shared.model.sessions import ChatPlace, RoomPlace, Session

PAGE: Final = 200
"""Messages looked at at a time for the first one that was missed."""


class NotRecovered(Exception):
    """A client cannot go on from where it was: it begins anew, and is told so."""


class Shown(NamedTuple):
    """What a client shows when it comes back: `pid`, and `offset` unless it got no event yet."""

    pid: str
    offset: object = None
    username: str | None = None


class Return(NamedTuple):
    """A room that a client comes back to.

    Attributes:
        seq: the last that it surely has; None where it may not know that it is in the room.
        since: the room's head when it was let in. What was before that it has in no other way
            than by the history that joining shows.
    """

    room: Room
    seq: int | None
    since: int


class Plan(NamedTuple):
    """How a client is brought back.

    Attributes:
        taken: its session.
        offset: which it showed.
        rooms: those it was in.
        chats: direct chats with news lately, each with the last seq that it surely has.
        gone: ids of chats that were deleted meanwhile.
    """

    taken: Taken
    offset: Offset | None
    rooms: list[Return]
    chats: list[tuple[Room, int]]
    gone: list[int]


async def prepare(services: Services, connection: Connection, shown: Shown, heart: Heart) -> Plan:
    """Take a session over, and find out where its client can go on.

    Raises:
        NotRecovered: it cannot.
    """
    offset = parse(shown.offset)
    if shown.offset is not None and offset is None:
        raise NotRecovered
    try:
        taken = await _take(services, connection, shown, offset, heart)
        offset = offset if _is_of(taken.session, offset) else None
        whole = _has(taken.session, offset, taken.session.sent)
        user = taken.session.username or connection.display_name
        found = await asyncio.gather(
            *(
                _find_room(services, user, name, place, _last_of(place, whole, offset))
                for name, place in taken.session.rooms.items()
            )
        )
        plan = Plan(taken, offset, list(found), [], [])
        for chat_id, place in taken.session.chats.items():
            await _find_chat(services, plan, chat_id, _last_of(place, whole, offset) or 0)
    except (ChatError, NotRecovered):
        services.sessions.give_up(connection)
        raise NotRecovered from None
    connection.username = taken.session.username
    return plan


async def _take(
    services: Services, connection: Connection, shown: Shown, offset: Offset | None, heart: Heart
) -> Taken:
    taken = await services.sessions.take(connection, shown.pid, heart)
    if taken is None or not services.identity.may_go_on(shown.username, taken.session.username):
        raise NotRecovered
    if not _has(taken.session, offset, taken.session.must_have):
        raise NotRecovered
    return taken


async def carry_out(services: Services, connection: Connection, plan: Plan) -> None:
    """Bring a client back that has been told so: what it missed, in order, then live events.

    Raises:
        ChatError: the broker or the database is away; its connection is to be ended, so that it
            tries again.
        NotRecovered: a room is not what it was a moment ago; likewise.
    """
    session = plan.taken.session
    people.came(services, connection, told=session.left)
    let_go: LetGo = []
    try:
        for back in plan.rooms:
            await _enter(services, connection, back, let_go)
        chats = await _carry_out_chats(services, connection, plan, let_go)
    except BaseException:
        # What came by itself now would come before what it still lacks.
        stop_hearing(services, connection)
        raise
    finally:
        connection.holds_chats = False
        for release in let_go:
            release()
    _let_chats_go(services, connection)
    if session.online and session.username is not None:
        services.presence.came(session.username, connection)
        connection.online = True
    surely = {room.id: seq for room, seq, _ in plan.rooms if seq is not None}
    await services.sessions.settle(connection, surely | {chat.id: seq for chat, seq in chats})


async def _enter(services: Services, connection: Connection, back: Return, let_go: LetGo) -> None:
    room, seq, since = back
    if seq is None:
        page = await services.history.newest(room, rooms.JOIN_PAGE, since + 1)
        rooms.show_page(services, connection, room, page, since)
        seq = since
    if not (await resume_room(services, connection, room, seq, let_go)).recovered:
        raise NotRecovered


async def _carry_out_chats(
    services: Services, connection: Connection, plan: Plan, let_go: LetGo
) -> list[tuple[Room, int]]:
    if not plan.taken.session.hears_chats:
        return []
    # What comes from now on waits until it is known what was before.
    connection.holds_chats = True
    await hear_chats(services, connection)
    for chat_id in plan.gone:
        offset = services.fan_out.place(connection, chat_id, 0)
        connection.must_have = connection.placed
        connection.emit("chatDeleted", ChatDeletedPayload(chat_id), offset=offset)
    for chat, seq in plan.chats:
        if seq == 0:  # it may not know of it
            connection.emit("newChat", chat_payload(chat))
    chats = [*plan.chats, *await _woken_chats(services, connection, plan)]
    for chat, seq in chats:
        if not (await resume_chat(services, connection, chat, seq, let_go)).recovered:
            raise NotRecovered
    return chats


def _let_chats_go(services: Services, connection: Connection) -> None:
    """Let go of chats that were quiet until a moment ago: all that waits is news."""
    for local in services.hub.chats_of(connection.username or ""):
        services.fan_out.chat_goes_live(connection, local.room, 0)


def _is_of(session: Session, offset: Offset | None) -> bool:
    """Whether a session gave an offset, and not one that its client had before."""
    return offset is not None and any(
        offset.life == life and offset.count > came for life, came in session.lives
    )


def _has(session: Session, offset: Offset | None, count: int) -> bool:
    """Whether a client has all that its last gateway had sent it up to a count of offsets."""
    if not count:
        return True
    life = session.lives[-1][0]
    return offset is not None and offset.life == life and offset.count >= count


def _last_of(place: RoomPlace | ChatPlace, whole: bool, offset: Offset | None) -> int | None:  # noqa: FBT001
    """The last seq that a client surely has; None if it may not know that it is in the room."""
    last = place.sent if whole else place.surely
    if offset is None or offset.room_id != place.room_id:
        return last
    return max(last or 0, offset.seq)


async def _find_room(
    services: Services, user: str, name: str, place: RoomPlace, seq: int | None
) -> Return:
    room = await services.directory.room(room_key(name))
    if services.authorization.judge("resume", user, room) is not Verdict.ALLOWED:
        raise NotRecovered
    if room is None or room.id != place.room_id or place.since < room.opened_to(user):
        raise NotRecovered
    await _check_place(services, room, place.since if seq is None else seq)
    return Return(room, seq, place.since)


async def _find_chat(services: Services, plan: Plan, chat_id: int, seq: int) -> None:
    chat = await services.directory.chat(chat_id)
    if chat is None:
        plan.gone.append(chat_id)
    elif (
        services.authorization.judge("resume", plan.taken.session.username, chat) is Verdict.ALLOWED
    ):
        await _check_place(services, chat, seq)
        plan.chats.append((chat, seq))


async def _check_place(services: Services, room: Room, seq: int) -> None:
    if seq and not (await services.replay.after(room, seq)).unbroken:
        raise NotRecovered


async def _woken_chats(
    services: Services, connection: Connection, plan: Plan
) -> list[tuple[Room, int]]:
    """Chats that were quiet when the session was kept, and have had news since.

    A gateway follows a chat for longer than `wake_after` from its last event on. So of one that
    the session does not name, everything younger than that, as of then, is news.
    """
    user, taken = connection.username, plan.taken
    if user is None:
        return []
    known = taken.session.chats.keys()
    wake_after = services.settings.wake_after * 1000
    woken = []
    for key in await services.rooms.held_chats(user):
        found = await services.rooms.find(key)
        if not isinstance(found, Held) or found.room.id in known:
            continue
        if found.idle * 1000 < taken.age + wake_after:
            chat, since = found.room, int(taken.at - wake_after)
            if chat.created_at >= since:
                connection.emit("newChat", chat_payload(chat))
            seq = await _last_before(services, chat, since)
            if plan.offset and plan.offset.room_id == chat.id:
                seq = max(seq, plan.offset.seq)
            woken.append((chat, seq))
    return woken


async def _last_before(services: Services, chat: Room, moment: int) -> int:
    """The seq of the last message before a moment, milliseconds since 1970; 0 for none."""
    before = TOP
    while items := (await services.history.newest(chat, PAGE, before)).items:
        for item in reversed(items):
            if item.created_at < moment:
                return item.seq
        before = items[0].seq
    return 0
