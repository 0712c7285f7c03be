"""What each command does."""

from collections.abc import Awaitable, Callable, Mapping

import msgspec

from parley_chat.client import ChatClient
from parley_chat.events.kinds import NewChat, NewMessage, UserId
from parley_chat.terminal.commands import Command, NotUnderstood
from parley_chat.terminal.places import Direct, Place, Room, Shown

Action = Callable[[Command], Awaitable[object]]

OPENED = 20
"""Messages shown on opening a direct chat."""


class Opened(msgspec.Struct, frozen=True, rename="camel"):
    """The answer to `dm`: the chat, and its newest messages, oldest first."""

    chat: NewChat
    user: UserId
    history: list[NewMessage]


def _whom(command: Command) -> UserId:
    if command.user is None:
        raise NotUnderstood(f"whom? /{command.command} USER")
    return command.user


class Actions:
    """Does commands.

    Attributes:
        place: where what is said goes; None before the first room or chat.
        shown: what was shown of each room and chat.
    """

    def __init__(self, client: ChatClient) -> None:
        self.place: Place | None = None
        self.shown = Shown()
        self._client = client
        self._table: Mapping[str, Action] = {
            "say": self._say,
            "join": self._join,
            "create": self._create,
            "leave": self._leave,
            "rooms": self._rooms,
            "dm": self._dm,
            "chats": self._chats,
            "online": self._online,
            "seen": self._seen,
            "history": self._history,
            "delete": self._delete,
            "clear": self._clear,
            "kick": self._kick,
            "ban": self._ban,
            "unban": self._unban,
            "moderator": self._moderator,
            "password": self._password,
            "who": self._who,
            "typing": self._typing,
            "help": self._help,
        }

    @property
    def places(self) -> int:
        """How many places one is in; with several, what is said in a room names it."""
        return len(self._client.rooms) + isinstance(self.place, Direct)

    async def do(self, command: Command) -> object:
        """Do a command; return its answer.

        Raises:
            NotUnderstood: it needs another place.
            ChatError, ConnectionError, TimeoutError, ValueError: as the client says.
        """
        return await self._table[command.command](command)

    async def _place(self, command: Command) -> Place:
        """The place that a command names, or else the present one."""
        if command.room is not None:
            return Room(command.room)
        if command.user is not None:
            return Direct(command.user, (await self._client.create_chat(command.user)).id)
        if self.place is None:
            raise NotUnderstood("join a room first: /join ROOM, or /dm USER")
        return self.place

    def _room(self, command: Command) -> str:
        if command.room is not None:
            return command.room
        if isinstance(self.place, Room):
            return self.place.name
        raise NotUnderstood("join a room first: /join ROOM")

    async def _say(self, command: Command) -> object:
        user = command.user
        if user is None and command.room is None and isinstance(self.place, Direct):
            user = self.place.user
        if user is not None:
            accepted = await self._client.send_to(user, command.content)
            if accepted.chat_id is not None:
                self.shown.said(accepted.chat_id, accepted.id)
            return accepted
        room = self._room(command)
        accepted = await self._client.send(room, command.content)
        self.shown.said(room, accepted.id)
        return accepted

    async def _join(self, command: Command) -> object:
        joined = await self._client.join_room(self._room(command), command.password)
        self.shown.messages(joined.history, self._client.user)
        self.place = Room(joined.room)
        return joined

    async def _create(self, command: Command) -> object:
        await self._client.create_room(self._room(command), command.password)
        return await self._join(command)

    async def _leave(self, command: Command) -> object:
        leaving = self.place if command.room is None else Room(command.room)
        if leaving is None:
            raise NotUnderstood("join a room first: /join ROOM")
        if isinstance(leaving, Room):
            await self._client.leave_room(leaving.name)
        if self.place == leaving:
            self.place = next(map(Room, self._client.rooms), None)
        return leaving._asdict()

    async def _rooms(self, command: Command) -> object:  # noqa: ARG002 - every action is given it
        return await self._client.get_rooms()

    async def _dm(self, command: Command) -> object:
        if command.user is None:
            raise NotUnderstood("whose chat? /dm USER")
        chat = await self._client.create_chat(command.user)
        history = await self._client.messages(chat.id, limit=OPENED)
        self.shown.messages(history, self._client.user)
        self.place = Direct(command.user, chat.id)
        return Opened(chat, command.user, history)

    async def _chats(self, command: Command) -> object:  # noqa: ARG002 - every action is given it
        return await self._client.chats()

    async def _online(self, command: Command) -> object:  # noqa: ARG002 - every action is given it
        if self._client.online is None and self._client.user is not None:
            await self._client.go_online(self._client.user)
        return await self._client.online_users()

    async def _seen(self, command: Command) -> object:
        match await self._place(command):
            case Room(name):
                seq = self.shown.last(name)
                await self._client.seen(name, seq=seq)
            case Direct(_, chat_id):
                seq = self.shown.last(chat_id)
                await self._client.seen(chat_id=chat_id, seq=seq)
        return {"seq": seq}

    async def _history(self, command: Command) -> object:
        match await self._place(command):
            case Room(name):
                return await self._client.history(name, limit=command.limit)
            case Direct(_, chat_id):
                return await self._client.history(chat_id=chat_id, limit=command.limit)

    async def _delete(self, command: Command) -> object:
        match await self._place(command):
            case Room(name):
                message_id = self.shown.last_own(name)
            case Direct(_, chat_id):
                message_id = self.shown.last_own(chat_id)
        if message_id is None:
            raise NotUnderstood("you said nothing here that could be deleted")
        await self._client.delete_message(message_id)
        self.shown.deleted(message_id)
        return {"messageId": message_id}

    async def _clear(self, command: Command) -> object:
        await self._client.delete_messages(self._room(command))
        return {}

    async def _kick(self, command: Command) -> object:
        await self._client.kick(self._room(command), _whom(command))
        return {}

    async def _ban(self, command: Command) -> object:
        await self._client.ban(self._room(command), _whom(command))
        return {}

    async def _unban(self, command: Command) -> object:
        await self._client.unban(self._room(command), _whom(command))
        return {}

    async def _moderator(self, command: Command) -> object:
        room, user = self._room(command), _whom(command)
        await self._client.set_moderator(room, user, moderator=command.on)
        return {}

    async def _password(self, command: Command) -> object:
        await self._client.set_password(self._room(command), command.password)
        return {}

    async def _who(self, command: Command) -> object:
        match await self._place(command):
            case Room(name):
                return self._client.typing_in(name)
            case Direct(_, chat_id):
                return self._client.typing_in(chat_id=chat_id)

    async def _typing(self, command: Command) -> object:
        match await self._place(command):
            case Room(name):
                await self._client.typing(name)
            case Direct(_, chat_id):
                await self._client.typing(chat_id=chat_id)
        return {}

    async def _help(self, command: Command) -> object:  # noqa: ARG002 - every action is given it
        return {}
