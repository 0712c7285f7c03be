"""What works alike in a room and in a chat: read its history, type, have seen."""

import secrets
from collections.abc import Collection
from itertools import count
from typing import Final

from msgspec import UNSET

from gateway.access.authorization import not_joined
from gateway.api.services import Services
from gateway.connections.connection import Connection
from gateway.protocols.payloads import (
    AcceptedPayload,
    HistoryPayload,
    iso,
    message_payload,
    new_message_payload,
)
from gateway.rooms.local_room import LocalRoom
from shared.broker.rooms.send import Accepted
from shared.errors import ChatError
from shared.model import commands
from shared.model.events import MessagePosted
from shared.model.rooms import Room

_LIFE: Final = secrets.token_urlsafe(9)
_numbers: Final = count()


def new_message_id() -> str:
    """A `clientMsgId` for a send that came without one: no other of any gateway is like it."""
    return f"{_LIFE}.{next(_numbers)}"


def joined(services: Services, connection: Connection, action: str, name: str | None) -> LocalRoom:
    """A named room that a connection is in, and where it may do something.

    Raises:
        ChatError: `not_joined`, `forbidden`.
    """
    local = connection.rooms.get(name or "")
    room = None if local is None else local.room
    user = connection.display_name
    services.authorization.authorize(action, user, room, inside=local is not None)
    if local is None:
        raise not_joined()  # whatever is allowed to those who are not inside is not done here
    return local


async def own_chat(services: Services, connection: Connection, action: str, chat_id: int) -> Room:
    """A chat that a connection's user is in; any other looks as if there were none.

    Raises:
        ChatError: `not_found`.
    """
    chat = await services.directory.chat(chat_id)
    services.authorization.authorize(
        action, connection.username, chat, unseen=lambda: no_such_chat(chat_id)
    )
    if chat is None:
        raise no_such_chat(chat_id)
    await hear_chats(services, connection)
    return chat


async def hear_chats(services: Services, connection: Connection) -> None:
    """Let a connection hear of its user's chats from now on."""
    if connection.username is not None and not connection.hears_chats:
        services.fan_out.listen(connection.username, connection)
        connection.hears_chats = True
        chats = services.hub.chats_of(connection.username)
        connection.heard_from = {local.room.id: local.head for local in chats}
        services.sessions.hears(connection)
        try:
            fresh = await services.follower.user_came(connection.username)
            connection.heard_from |= {local.room.id: local.room.head for local in fresh}
            await services.sessions.keep(connection)
        except BaseException:
            # Else the next try would take its chats for followed here.
            stop_hearing(services, connection)
            raise


def stop_hearing(services: Services, connection: Connection) -> None:
    """Undo `hear_chats`: what happens from now on it does not hear."""
    if connection.username is not None and connection.hears_chats:
        services.fan_out.unlisten(connection.username, connection)
    connection.hears_chats = False
    connection.chats.clear()


def no_such_chat(chat_id: int) -> ChatError:
    """There is no such chat, or it is none of one's business."""
    return ChatError("not_found", f"Chat with ID {chat_id} not found")


async def typing(services: Services, connection: Connection, command: commands.Typing) -> None:
    """Be seen typing by the others."""
    connection.check_own(None if command.username is None else str(command.username))
    if command.chat_id is None:
        services.typing.typed(connection, joined(services, connection, "typing", command.room))
        return
    chat = await own_chat(services, connection, "typing", command.chat_id)
    local = services.hub.followed(chat.key)
    if local is None and (held := await services.directory.held(chat.key)):
        local = services.hub.follow(held.room, held.idle)
    if local is not None:
        services.typing.typed(connection, local)


async def history(
    services: Services, connection: Connection, command: commands.History
) -> HistoryPayload:
    """A page of the history of a room or a chat one is in."""
    room = await _place(services, connection, "history", command.room, command.chat_id)
    if isinstance(command.after, int):
        page = await services.history.after(room, command.after, command.limit)
    elif isinstance(command.before, int):
        page = await services.history.newest(room, command.limit, command.before)
    else:
        page = await services.history.newest(room, command.limit)
    if room.kind == "direct":
        return HistoryPayload(
            [new_message_payload(item, room) for item in page.items], page.head, page.partial
        )
    return HistoryPayload(
        [message_payload(item, room.name) for item in page.items], page.head, page.partial
    )


async def seen(services: Services, connection: Connection, command: commands.Seen) -> None:
    """Have seen everything in a room or a chat up to a place."""
    room = await _place(services, connection, "seen", command.room, command.chat_id)
    await move_cursor(services, connection, room, command.seq)


async def move_cursor(
    services: Services, connection: Connection, room: Room, seq: int, message_id: int = 0
) -> None:
    """Move the cursor of a connection's user, by marking a message if one is named.

    Raises:
        ChatError: `unauthorized` for somebody without a name.
    """
    if connection.username is None:
        raise ChatError("unauthorized", "say who you are first")
    await services.cursors.move(room, connection.username, seq, message_id, connection.sid)


def check_length(services: Services, content: str) -> None:
    """Refuse what is too long.

    Raises:
        ChatError: `too_long`.
    """
    most = services.settings.max_content
    if len(content) > most:
        raise ChatError("too_long", f"a message has at most {most} characters")


def check_rooms(services: Services, connection: Connection, names: Collection[str]) -> None:
    """Refuse to be in more rooms than a connection may be in.

    Args:
        services: the parts of the gateway.
        connection: which.
        names: the rooms it would enter.

    Raises:
        ChatError: `too_many`.
    """
    most = services.settings.max_rooms
    if len(connection.rooms.keys() | names) > most:
        raise ChatError("too_many", f"a connection is in at most {most} rooms: leave one first")


def accepted(
    services: Services, connection: Connection, room: Room, sent: Accepted
) -> AcceptedPayload:
    """The reply to a send; the second word follows where it is wanted."""
    if connection.durable:
        services.durability.want(connection, room, sent)
    chat_id = room.id if room.kind == "direct" else UNSET
    return AcceptedPayload(sent.id, sent.seq, iso(sent.created_at), chat_id)


def may_be_sent(services: Services, room: Room, *, resend: bool) -> bool:
    """Whether SQL may have a send that the broker does not remember."""
    return resend or services.watch.is_young(room.key)


async def find_sent(
    services: Services, room: Room, body: MessagePosted, *, resend: bool
) -> Accepted | None:
    """Look a send up in SQL that the broker may have forgotten.

    With `resend` the client says that it may have been accepted before. Where it does not, and
    SQL is away, the send goes on: SQL's unique key has the last word.

    Raises:
        ChatError: `storage_unavailable`.
    """
    try:
        known = await services.reader.accepted(room.id, body.sender, body.client_msg_id)
    except ChatError:
        if resend:
            raise
        return None
    # It is in SQL: of whatever epoch, there is nothing to wait for.
    return Accepted(*known, duplicate=True, epoch=0) if known else None


async def _place(
    services: Services,
    connection: Connection,
    action: str,
    room: str | None,
    chat_id: int | None,
) -> Room:
    if chat_id is None:
        return joined(services, connection, action, room).room
    return await own_chat(services, connection, action, chat_id)
