"""Resume: what one missed of rooms and chats, then live events, on any gateway."""

from collections.abc import Callable
from typing import NamedTuple

from gateway.access.authorization import Verdict
from gateway.api.handlers.places import check_rooms, hear_chats, stop_hearing
from gateway.api.outcome import AndThen
from gateway.api.services import Services
from gateway.connections.connection import Connection
from gateway.protocols.announcements import Announcement
from gateway.protocols.payloads import ResumedPayload, ResumedPlace, SeenPayload, user_out
from gateway.rooms.member import Member
from shared.errors import ChatError, broker_unavailable
from shared.metrics import LabelledCounter
from shared.model import commands
from shared.model.ids import room_key
from shared.model.rooms import Room

RESUMES = LabelledCounter("resumes", "Rooms and chats that a client came back to.", "outcome")

NOT_RECOVERED = ResumedPlace(recovered=False, head=0)
"""No such room or chat, or not for this user: these look alike."""


LetGo = list[Callable[[], None]]
"""What is to be called once the reply is on its way."""


class _Delivered(NamedTuple):
    """What a connection that was live already got by itself: seqs above `after`, up to `to`."""

    after: int = 0
    to: int = 0


async def resume(services: Services, connection: Connection, command: commands.Resume) -> AndThen:
    """Replay what was missed; live events wait until the reply has gone out."""
    check_rooms(services, connection, command.rooms)
    let_go: LetGo = []
    rooms, chats = {}, {}
    heard = connection.hears_chats
    try:
        for name, seq in command.rooms.items():
            grant = command.grants.get(name)
            rooms[name] = await _resume_room(services, connection, name, seq, grant, let_go)
        for chat_id, seq in command.chats.items():
            chats[str(chat_id)] = await _resume_chat(
                services, connection, int(chat_id), seq, let_go
            )
        await services.sessions.keep(connection)
    except BaseException:
        for release in let_go:
            release()
        if not heard:
            # What comes by itself now would come before what it still lacks.
            stop_hearing(services, connection)
        raise
    return AndThen(ResumedPayload(rooms, chats), let_go)


async def _resume_room(
    services: Services,
    connection: Connection,
    name: str,
    seq: int,
    grant: str | None,
    let_go: LetGo,
) -> ResumedPlace:
    room = await services.directory.room(room_key(name))
    user = connection.display_name
    if room is None or services.authorization.judge("resume", user, room) is not Verdict.ALLOWED:
        return NOT_RECOVERED
    if name not in connection.rooms and not (
        # Whoever was kicked after that place is not inside: it takes a `joinRoom` to enter again.
        room.standings.kicked.get(user, 0) <= seq
        and (not room.protected or services.grants.holds(grant, user, room))
    ):
        return NOT_RECOVERED
    return await resume_room(services, connection, room, seq, let_go)


async def resume_room(
    services: Services, connection: Connection, room: Room, seq: int, let_go: LetGo
) -> ResumedPlace:
    """Enter a room that a connection may be in, with what it missed after `seq`.

    Args:
        services: the parts of the gateway.
        connection: of the client.
        room: where it has been, or may be for another reason.
        seq: the last it has.
        let_go: gets what lets live events come; they wait until it is called.

    Raises:
        ChatError: `broker_unavailable`, `storage_unavailable`.
    """
    known = connection.rooms.get(room.name)
    delivered = _Delivered()
    if known and (member := known.members.get(connection)) and member.waiting is None:
        # Live already: what came by itself is not sent again, what comes now waits its turn.
        delivered = _Delivered(member.seen, known.head)
        services.hub.gate(connection, known)
    try:
        local = await services.hub.enter(connection, room)
    except ChatError as error:
        if error.code != "forbidden":
            raise
        return NOT_RECOVERED  # it was put out since the room was read
    try:
        member = local.members[connection]
        place, seen = await _replay(services, connection, member, room, seq, delivered)
    except BaseException:
        # Nobody stays gated: who was in the room goes on as before, who was not is not.
        if known:
            services.hub.go_live(connection, local, delivered.after)
        else:
            services.hub.leave(connection, local)
        raise
    if connection not in local.members:
        return NOT_RECOVERED  # it was put out meanwhile
    let_go.append(lambda: services.hub.go_live(connection, local, seen))
    return place


async def _resume_chat(
    services: Services, connection: Connection, chat_id: int, seq: int, let_go: LetGo
) -> ResumedPlace:
    chat = await services.directory.chat(chat_id)
    verdict = services.authorization.judge("resume", connection.username, chat)
    if chat is None or verdict is not Verdict.ALLOWED:
        return NOT_RECOVERED
    return await resume_chat(services, connection, chat, seq, let_go)


async def resume_chat(
    services: Services, connection: Connection, chat: Room, seq: int, let_go: LetGo
) -> ResumedPlace:
    """As `resume_room`, for a direct chat of the connection's user."""
    delivered = _heard(services, connection, chat)
    connection.chats[chat.id] = member = Member()
    try:
        await hear_chats(services, connection)
        if held := await services.directory.held(chat.key):
            services.hub.follow(held.room, held.idle)
        by_itself = delivered or _Delivered()
        place, seen = await _replay(services, connection, member, chat, seq, by_itself)
    except BaseException:
        if delivered:
            services.fan_out.chat_goes_live(connection, chat, delivered.after)
        elif now := services.hub.followed(chat.key):
            # Live from here on; what was before it is still missed.
            services.fan_out.chat_goes_live(connection, chat, now.head)
        else:
            connection.chats.pop(chat.id, None)
        raise
    let_go.append(lambda: services.fan_out.chat_goes_live(connection, chat, seen))
    return place


def _heard(services: Services, connection: Connection, chat: Room) -> _Delivered | None:
    """What of a chat came to a connection by itself; None if it is not live there."""
    known, local = connection.chats.get(chat.id), services.hub.followed(chat.key)
    if local is None or not connection.hears_chats or (known and known.waiting is not None):
        return None
    # It hears of the chat since it began to hear, or since the chat is followed here.
    since = known.seen if known else connection.heard_from.get(chat.id, 0)
    return _Delivered(max(since, local.room.head), local.head)


async def _replay(
    services: Services,
    connection: Connection,
    member: Member,
    room: Room,
    seq: int,
    delivered: _Delivered,
) -> tuple[ResumedPlace, int]:
    """Send what happened after `seq`, and where cursors are; up to which seq that was."""
    at, recovered, from_log, head = seq, True, True, 0
    more = True
    while more:
        page = await services.replay.after(room, at)
        head, from_log = max(head, page.head), from_log and page.from_log
        if at == seq and not page.unbroken and seq > 0:
            recovered = False
            break
        for event in page.events:
            if not delivered.after < event.seq <= delivered.to:
                await connection.calm()
                services.fan_out.show(connection, event, room)
            at = event.seq
        more = page.more
    RESUMES.add("recovered" if recovered else "too_old")
    head = max(head, at) if recovered else head or room.head
    for user, place in (await _cursors(services, room, all_of_them=not from_log)).items():
        if user != connection.username:
            services.fan_out.tell([connection], [_seen(room, user, place)])
            member.cursors[user] = place
    # Of a room that could not be gone on with, live events are news from the head on.
    return ResumedPlace(recovered=recovered, head=head), at if recovered else head


async def _cursors(services: Services, room: Room, *, all_of_them: bool) -> dict[str, int]:
    """Cursors that may have moved meanwhile: those the broker knows, else those of SQL too.

    Raises:
        ChatError: `broker_unavailable`, `storage_unavailable`. Less than all may be less than what
            was told before.
    """
    found = await services.chat_reader.cursors(room.id) if all_of_them else {}
    epoch, known = await services.cursor_broker.read(room.key)
    if not services.hub.is_of_now(services.keys.number_of(room.key), epoch):
        raise broker_unavailable()  # that epoch is over, and whoever is here was told
    return found | known


def _seen(room: Room, user: str, seq: int) -> Announcement:
    payload = SeenPayload(user_out(user), seq)
    if room.kind == "direct":
        return Announcement("seen", payload, chat_id=room.id)
    return Announcement("seen", payload, room.name)
