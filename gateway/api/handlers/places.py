"""Handlers that work alike for rooms and chats: history, typing, seen."""

import contextlib
from collections.abc import Coroutine
from typing import Any

from gateway.api.chat_subscription import subscribe_to_chats
from gateway.api.gateway import Gateway
from gateway.api.outcome import BackgroundReply
from gateway.api.pages import messages_of
from gateway.api.targets import Target
from gateway.protocols.payloads import ChatHistoryPayload, RoomHistoryPayload
from gateway.rooms.client import Client
from gateway.rooms.store.pages.history import Page
from shared.errors import ChatError
from shared.model import commands
from shared.model.ids import TOP
from shared.model.rooms import Room


def typing(
    gateway: Gateway, client: Client, _command: commands.Typing, target: Target
) -> BackgroundReply | None:
    """Publish that a client is typing."""
    if target.known.kind == "direct":
        return _type_in_chat(gateway, client, target.known)
    gateway.rooms.typing.typed(client, target.joined)
    return None


async def _type_in_chat(gateway: Gateway, client: Client, chat: Room) -> None:
    await subscribe_to_chats(gateway, client)
    hub, directory = gateway.rooms.hub, gateway.rooms.directory
    local = hub.followed(chat.key)
    if (local is None or local.room.id != chat.id) and (held := await directory.held(chat.key)):
        local = hub.follow(held.room, held.idle)
    # The pair may have deleted this chat meanwhile and begun another one.
    if local is not None and local.room.id == chat.id:
        gateway.rooms.typing.typed(client, local)


async def history(
    gateway: Gateway, client: Client, command: commands.History, target: Target
) -> RoomHistoryPayload | ChatHistoryPayload:
    """Read a page of the history of a room or chat."""
    room, pages = target.known, gateway.rooms.history
    write = messages_of(gateway, client, room)
    if isinstance(command.after, int):
        reading = pages.after(room, command.after, command.limit, write)
    else:
        before = command.before if isinstance(command.before, int) else TOP
        reading = pages.newest(room, command.limit, before, write)
    page = await read_page(gateway, client, room, reading)
    reply = ChatHistoryPayload if room.kind == "direct" else RoomHistoryPayload
    return reply(page.encoded, page.head, page.partial, page.next)


async def read_page(
    gateway: Gateway, client: Client, room: Room, reading: Coroutine[Any, Any, Page]
) -> Page:
    """Subscribe a client to its user's chats if the room is one of them, then read a page of it.

    While the broker is away, only a page that says `partial` is returned.

    Raises:
        ChatError: of `reading`; `broker_unavailable` where the subscription failed and the broker
            is back by then: live events have to follow a whole page.
    """
    with contextlib.closing(reading):
        failure = None
        try:
            await _subscribe_if_chat(gateway, client, room)
        except ChatError as error:
            if error.code != "broker_unavailable":
                raise
            failure = error
        page = await reading
    if failure is not None and not page.partial:
        raise failure
    return page


async def seen(gateway: Gateway, client: Client, command: commands.Seen, target: Target) -> None:
    """Mark all events of a room or chat up to a seq as seen."""
    room = target.known
    await _subscribe_if_chat(gateway, client, room)
    await move_cursor(gateway, client, room, command.seq)


async def move_cursor(
    gateway: Gateway, client: Client, room: Room, seq: int, message_id: int = 0
) -> None:
    """Move the cursor of a client's user forward.

    Args:
        gateway: moves the cursor.
        client: its user's cursor moves; the connection itself is not told of it.
        room: the room or chat.
        seq: the last seq that the user has seen.
        message_id: the message that was marked as seen; 0 for none.

    Raises:
        ChatError: `unauthorized` for a client without a name.
    """
    if client.username is None:
        raise ChatError("unauthorized", "set a username first")
    sid = client.connection.sid
    await gateway.rooms.cursors.move(room, client.username, seq, message_id, sid)


async def _subscribe_if_chat(gateway: Gateway, client: Client, room: Room) -> None:
    if room.kind == "direct":
        await subscribe_to_chats(gateway, client)
