"""Targets of actions: finds the room, chat, message or users that a command names."""

import asyncio
from collections.abc import Callable, Collection, Iterable
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from gateway.access.authorization import Principal, not_joined
from gateway.access.roles import is_openly_banned
from gateway.access.shares.slot import Asker
from gateway.api.gateway import Gateway
from gateway.connections.link import PendingWork
from gateway.rooms.client import Client
from gateway.rooms.local_room import LocalRoom
from gateway.rooms.store.messages import MessageLocation
from gateway.rooms.store.room_names import check_room_name
from shared.errors import ChatError
from shared.model import commands
from shared.model.fields import check_text
from shared.model.ids import is_chat_key, users_of_chat
from shared.model.rooms import Room


class Target(msgspec.Struct, frozen=True):
    """The target of an action, for its rule and its handler.

    Attributes:
        room: the room or chat; None where there is none.
        local: the followed room, if the client is in it; else None.
        about: the users that the action is about.
        message: the message that the action is about.
        unseen: makes the error for a principal that may not know of the target.
        partial: True if the broker was away, and the target is as SQL has it.
    """

    room: Room | None = None
    local: LocalRoom | None = None
    about: tuple[str, ...] = ()
    message: MessageLocation | None = None
    unseen: Callable[[], ChatError] = not_joined
    partial: bool = False

    @property
    def inside(self) -> bool:
        """True if the client is in the room."""
        return self.local is not None

    @property
    def known(self) -> Room:
        """The room, for handlers that need one.

        Raises:
            ChatError: there is none; made by `unseen`.
        """
        if self.room is None:
            raise self.unseen()
        return self.room

    @property
    def joined(self) -> LocalRoom:
        """The followed room, for handlers of members.

        Raises:
            ChatError: the client is not in it; made by `unseen`.
        """
        if self.local is None:
            raise self.unseen()
        return self.local


NOTHING: Final = Target()

Found = Target | PendingWork
"""A target, or a coroutine that finds one, or a list of targets that are judged one by one."""


def nothing(_gateway: Gateway, _asker: object, _command: object) -> Target:
    """Return the target of an action that is about no room and no user."""
    return NOTHING


def user(_gateway: Gateway, _asker: object, command: commands.UserCommand) -> Target:
    """Return the user that a command names."""
    return Target(about=(command.user,))


def pair(_gateway: Gateway, _asker: object, command: commands.CreateChat) -> Target:
    """Return the two users of a chat."""
    return Target(about=(str(command.user1_id), str(command.user2_id)))


def sender(_gateway: Gateway, _asker: object, command: commands.SendChatMessage) -> Target:
    """Return the user that a command names as the sender of its message."""
    return Target(about=(str(command.sender_id),))


def joined(gateway: Gateway, client: Client, command: Any) -> Target | PendingWork:  # noqa: ANN401
    """Return a named room, if the client is in it."""
    local = gateway.rooms.hub.joined(client, command.room or "")
    return (
        _not_inside(gateway, client, command.room) if local is None else Target(local.room, local)
    )


async def _not_inside(gateway: Gateway, client: Client, name: str) -> Target:
    """Return a room that a client is not in, if the reason is a ban that it may know of.

    Looked up in the client's turn, as SQL is read for a name that no room has.
    """
    names = gateway.rooms.directory.names
    try:
        key = names.cached(name) or names.new_key(check_text(name))
        async with gateway.access.reads.slot(client):
            found = await gateway.rooms.directory.from_outside(key)
    except (ChatError, ValueError):
        return NOTHING  # without the reason, the refusal is the same
    return Target(found) if found and is_openly_banned(found, client.display_name) else NOTHING


def place(gateway: Gateway, client: Client, command: Any) -> Target | PendingWork:  # noqa: ANN401
    """Find a named room that the client is in, or a direct chat, by `room` or `chat_id`."""
    if command.chat_id is None:
        return joined(gateway, client, command)
    return chat(gateway, client, command)


def readable(gateway: Gateway, client: Client, command: Any) -> Target | PendingWork:  # noqa: ANN401
    """Do the same as `place`; while the broker is away, a chat is found in SQL."""
    if command.chat_id is None:
        return joined(gateway, client, command)
    return readable_chat(gateway, client, command)


async def readable_chat(gateway: Gateway, asker: Asker, command: Any) -> Target:  # noqa: ANN401
    """Do the same as `chat`; while the broker is away, look in SQL, and say so in the target."""
    try:
        return await chat(gateway, asker, command)
    except ChatError as error:
        if error.code != "broker_unavailable":
            raise
        away = error
    # Not `not_found` for what SQL does not have, as a chat may be so new that it is in the log
    # only. Nor for chats of others: the difference would tell which ids are chats.
    found = await gateway.rooms.directory.stored_chat(command.chat_id)
    return Target(found, unseen=lambda: away, partial=True)


async def chat(gateway: Gateway, asker: Any, command: Any) -> Target:  # noqa: ANN401
    """Find a direct chat by the `chat_id` of a command; in the asker's turn if it is not known."""
    directory, sees = gateway.rooms.directory, _chats_of(gateway, asker)
    if directory.knows_chat(command.chat_id, sees):
        found = await directory.chat(command.chat_id, sees)
    else:
        async with gateway.access.reads.slot(asker):
            found = await directory.chat(command.chat_id, sees)
    return Target(found, unseen=lambda: no_such_chat(command.chat_id))


async def room(gateway: Gateway, client: Client, command: Any) -> Target:  # noqa: ANN401
    """Find a named room, also one that the client is not in, and the user that is named."""
    target = await _named(gateway, client, command)
    if not target.inside:
        await gateway.rooms.directory.names.even_out(_hidden([target.room]))
    return target


async def _named(gateway: Gateway, client: Client, command: Any) -> Target:  # noqa: ANN401
    found = await gateway.rooms.directory.named(command.room)
    if found is None:
        check_room_name(command.room)
    local = gateway.rooms.hub.joined(client, command.room)
    about = (command.user,) if isinstance(command, commands.MemberCommand) else ()
    return Target(found, local, about)


async def entered(gateway: Gateway, client: Client, command: commands.JoinRoom) -> Target:
    """Find the named room that a client wants to join; `even_out` is for those refused."""
    _check_count(gateway, client, [command.room])
    return await _as_seen(gateway, client, await _named(gateway, client, command))


async def message(gateway: Gateway, client: Client, command: Any) -> Target:  # noqa: ANN401
    """Find a message by its id, with its room and its sender."""
    sees_chat, inside = _chats_of(gateway, client), gateway.rooms.hub.rooms_of(client).values()

    def sees(key: str) -> bool:
        return sees_chat(key) or any(local.room.key == key for local in inside)

    found = await gateway.rooms.directory.messages.locate(command.message_id, sees)

    def unseen() -> ChatError:
        return ChatError("not_found", f"Message with ID {command.message_id} not found")

    if found is None:
        return Target(unseen=unseen)
    local = gateway.rooms.hub.joined(client, found.room.name)
    return Target(found.room, local, (found.sender,), found, unseen)


async def resumed(gateway: Gateway, client: Client, command: commands.Resume) -> list[Target]:
    """Find the rooms and then the chats of a resume, in the command's order."""
    _check_count(gateway, client, command.rooms)
    directory, hub = gateway.rooms.directory, gateway.rooms.hub
    rooms = await directory.all_named(command.rooms)
    found = [Target(rooms.get(name), hub.joined(client, name)) for name in command.rooms]
    seen = await asyncio.gather(*(_as_seen(gateway, client, target) for target in found))
    named = zip(found, command.rooms, strict=True)
    asked = [each.room for each, name in named if not _opens(gateway, client, command, each, name)]
    await directory.names.even_out(_hidden(asked))
    chats = await directory.chats(command.chats, _chats_of(gateway, client))
    return seen + [Target(chats.get(chat_id)) for chat_id in command.chats]


async def _as_seen(gateway: Gateway, client: Client, target: Target) -> Target:
    """Return the target of an entry as it is for this client.

    A room that bans a guest's address is one that bans the guest, so every rule and every answer
    is the same as for a banned user. Guests who are in the room stay, as they may be others.
    """
    found = target.room
    if found is None or target.inside or not client.is_guest:
        return target
    if not await gateway.access.guest_bans.holds(found, client.rate_subject):
        return target
    return replace(target, room=found.banning(client.display_name))


def _chats_of(gateway: Gateway, asker: Principal) -> Callable[[str], bool]:
    """Return what is True for the keys of the chats that a principal may know of."""
    user = asker.username
    if user is None and not gateway.access.identity.required and not isinstance(asker, Client):
        return is_chat_key  # a REST request, which then carries no name
    return lambda key: user is not None and is_chat_key(key) and user in users_of_chat(key)


def _opens(
    gateway: Gateway, client: Client, command: commands.Resume, target: Target, name: str
) -> bool:
    """Return True if a client is in a room, or holds a grant that it has shown for it."""
    if target.inside or target.room is None:
        return target.inside
    grants, user = gateway.access.grants, client.display_name
    return grants.holds(command.grants.get(name), user, target.room)


def _hidden(rooms: Iterable[Room | None]) -> list[Room | None]:
    """Return the rooms that have to look like none to others, and None for each that is none."""
    return [each for each in rooms if each is None or each.protected]


def _check_count(gateway: Gateway, client: Client, names: Collection[str]) -> None:
    """Check that a client stays within the maximum number of rooms if it enters these.

    Raises:
        ChatError: `too_many`.
    """
    max_rooms, hub = gateway.settings.max_rooms, gateway.rooms.hub
    if len(hub.rooms_of(client)) + len(names) <= max_rooms:
        return  # without a look at each name, of which a frame may have hundreds
    new = {name for name in names if hub.joined(client, name) is None}
    if len(hub.rooms_of(client)) + len(new) > max_rooms:
        text = f"a connection can be in at most {max_rooms} rooms: leave one first"
        raise ChatError("too_many", text)


def no_such_chat(chat_id: int) -> ChatError:
    """Make the error for a chat that does not exist, or that is of other users."""
    return ChatError("not_found", f"Chat with ID {chat_id} not found")
