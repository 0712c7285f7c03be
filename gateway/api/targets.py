"""Targets of actions: finds the room, chat, message or users that a command names."""

from collections.abc import Callable, Collection
from typing import Any, Final

import msgspec

from gateway.access.authorization import not_joined
from gateway.access.roles import is_openly_banned
from gateway.api.gateway import Gateway
from gateway.connections.websocket import PendingWork
from gateway.rooms.client import Client
from gateway.rooms.local_room import LocalRoom
from gateway.rooms.store.directory import MessageLocation
from gateway.rooms.store.room_names import check_room_name
from shared.errors import ChatError
from shared.model import commands
from shared.model.fields import check_text
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
    """Return a room that a client is not in, if the reason is a ban that it may know of."""
    names = gateway.rooms.directory.names
    try:
        key = names.cached(name) or names.new_key(check_text(name))
        found = await gateway.rooms.directory.room(key)
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


async def readable_chat(gateway: Gateway, asker: object, command: Any) -> Target:  # noqa: ANN401
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


async def chat(gateway: Gateway, _asker: object, command: Any) -> Target:  # noqa: ANN401
    """Find a direct chat by the `chat_id` of a command."""
    found = await gateway.rooms.directory.chat(command.chat_id)
    return Target(found, unseen=lambda: no_such_chat(command.chat_id))


async def room(gateway: Gateway, client: Client, command: Any) -> Target:  # noqa: ANN401
    """Find a named room, also one that the client is not in, and the user that is named."""
    found = await gateway.rooms.directory.named(command.room)
    if found is None:
        check_room_name(command.room)
    local = gateway.rooms.hub.joined(client, command.room)
    about = (command.user,) if isinstance(command, commands.MemberCommand) else ()
    return Target(found, local, about)


async def entered(gateway: Gateway, client: Client, command: commands.JoinRoom) -> Target:
    """Find the named room that a client wants to join."""
    _check_count(gateway, client, [command.room])
    return await room(gateway, client, command)


async def message(gateway: Gateway, client: Client, command: Any) -> Target:  # noqa: ANN401
    """Find a message by its id, with its room and its sender."""
    found = await gateway.rooms.directory.locate_message(command.message_id)

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
    found = [
        Target(await directory.named(name), hub.joined(client, name)) for name in command.rooms
    ]
    return found + [Target(await directory.chat(chat_id)) for chat_id in command.chats]


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
