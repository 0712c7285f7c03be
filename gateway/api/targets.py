"""What actions are about: finds the room, the chat, the message or the users of a command."""

from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from gateway.access.authorization import not_joined
from gateway.api.gateway import Gateway
from gateway.connections.websocket import PendingWork
from gateway.rooms.client import Client
from gateway.rooms.local_room import LocalRoom
from gateway.rooms.store.directory import MessageLocation
from shared.errors import ChatError
from shared.model import commands
from shared.model.ids import room_key
from shared.model.rooms import Room


class Target(msgspec.Struct, frozen=True):
    """What an action is about, as its rule and its handler need it.

    Attributes:
        room: the room or chat; None where there is none.
        local: the room as it is followed here, where the client is in it.
        about: the users it is about.
        message: the message it is about.
        unseen: what is said of it to a client that may not know of it.
    """

    room: Room | None = None
    local: LocalRoom | None = None
    about: tuple[str, ...] = ()
    message: MessageLocation | None = None
    unseen: Callable[[], ChatError] = not_joined

    @property
    def inside(self) -> bool:
        """Whether the client is in the room."""
        return self.local is not None

    @property
    def known(self) -> Room:
        """The room, for what is done only where there is one.

        Raises:
            ChatError: as `unseen` says.
        """
        if self.room is None:
            raise self.unseen()
        return self.room

    @property
    def joined(self) -> LocalRoom:
        """The room as it is followed here, for what is done only inside.

        Raises:
            ChatError: as `unseen` says.
        """
        if self.local is None:
            raise self.unseen()
        return self.local


NOTHING: Final = Target()

Found = Target | PendingWork
"""A target, or a coroutine that finds it, or several that are judged one by one."""


def nothing(_gateway: Gateway, _asker: object, _command: object) -> Target:
    """An action that is about no room and no user."""
    return NOTHING


def user(_gateway: Gateway, _asker: object, command: commands.UserCommand) -> Target:
    """The user that a command names."""
    return Target(about=(command.user,))


def pair(_gateway: Gateway, _asker: object, command: commands.CreateChat) -> Target:
    """The two users of a chat."""
    return Target(about=(str(command.user1_id), str(command.user2_id)))


def sender(_gateway: Gateway, _asker: object, command: commands.SendChatMessage) -> Target:
    """Who says something."""
    return Target(about=(str(command.sender_id),))


def joined(gateway: Gateway, client: Client, command: Any) -> Target:  # noqa: ANN401 - has `room`
    """A named room, if the client is in it."""
    local = gateway.rooms.hub.joined(client, command.room or "")
    return NOTHING if local is None else Target(local.room, local)


def place(gateway: Gateway, client: Client, command: Any) -> Target | PendingWork:  # noqa: ANN401
    """A named room that the client is in, or a direct chat: by a command's `room` or `chat_id`."""
    if command.chat_id is None:
        return joined(gateway, client, command)
    return chat(gateway, client, command)


async def chat(gateway: Gateway, _asker: object, command: Any) -> Target:  # noqa: ANN401
    """A direct chat by its id: of a command with `chat_id`."""
    found = await gateway.rooms.directory.chat(command.chat_id)
    return Target(found, unseen=lambda: no_such_chat(command.chat_id))


async def room(gateway: Gateway, client: Client, command: Any) -> Target:  # noqa: ANN401
    """A named room, wherever the client is, and the user it is about, if there is one."""
    found = await gateway.rooms.directory.room(room_key(command.room))
    local = gateway.rooms.hub.joined(client, command.room)
    about = (command.user,) if isinstance(command, commands.MemberCommand) else ()
    return Target(found, local, about)


async def entered(gateway: Gateway, client: Client, command: commands.JoinRoom) -> Target:
    """A named room that the client would be in."""
    _check_count(gateway, client, [command.room])
    return await room(gateway, client, command)


async def message(gateway: Gateway, client: Client, command: Any) -> Target:  # noqa: ANN401
    """A message by its id, the room it stands in, and who sent it."""
    found = await gateway.rooms.directory.locate_message(command.message_id)

    def unseen() -> ChatError:
        return ChatError("not_found", f"Message with ID {command.message_id} not found")

    if found is None:
        return Target(unseen=unseen)
    local = gateway.rooms.hub.joined(client, found.room.name)
    return Target(found.room, local, (found.sender,), found, unseen)


async def resumed(gateway: Gateway, client: Client, command: commands.Resume) -> list[Target]:
    """The rooms and chats of a resume, in their order."""
    _check_count(gateway, client, command.rooms)
    directory, hub = gateway.rooms.directory, gateway.rooms.hub
    found = [
        Target(await directory.room(room_key(name)), hub.joined(client, name))
        for name in command.rooms
    ]
    return found + [Target(await directory.chat(int(chat_id))) for chat_id in command.chats]


def _check_count(gateway: Gateway, client: Client, names: Iterable[str]) -> None:
    """Refuse to be in more rooms than a client may be in.

    Args:
        gateway: where it is connected.
        client: the client.
        names: the rooms it would enter.

    Raises:
        ChatError: `too_many`.
    """
    most = gateway.settings.max_rooms
    if len(gateway.rooms.hub.rooms_of(client).keys() | set(names)) > most:
        raise ChatError("too_many", f"a connection is in at most {most} rooms: leave one first")


def no_such_chat(chat_id: int) -> ChatError:
    """There is no such chat, or it is none of the asker's."""
    return ChatError("not_found", f"Chat with ID {chat_id} not found")
