"""Actions of the commands of the terminal chat."""

from collections.abc import Awaitable, Callable, Mapping

import msgspec

from parley_chat.client import ChatClient
from parley_chat.events.answers import Act, ActPage, UserPage
from parley_chat.events.kinds import NewChat, NewMessage, UserId
from parley_chat.terminal.commands import Command, InvalidCommand
from parley_chat.terminal.places import DirectChat, Place, Room, ShownMessages

Action = Callable[[Command], Awaitable[object]]

CHAT_HISTORY_MESSAGES = 20
"""Messages shown when a direct chat is opened."""


class OpenedChat(msgspec.Struct, frozen=True, rename="camel"):
    """A direct chat that was opened by `dm`, with its newest messages, oldest first."""

    chat: NewChat
    user: UserId
    history: list[NewMessage]


def _required_user(command: Command) -> UserId:
    if command.user is None:
        raise InvalidCommand(f"name a user: /{command.command} USER")
    return command.user


async def _all_users(
    read: Callable[[str, UserId | None], Awaitable[UserPage]], room: str
) -> list[UserId]:
    """Read all pages of a list of users."""
    page = await read(room, None)
    users = list(page.users)
    while page.more:
        page = await read(room, users[-1])
        users += page.users
    return users


class Actions:
    """Executes commands with a client.

    Attributes:
        place: Room or chat that messages go to; None before the first one.
        shown: Messages shown of each room and chat.
    """

    def __init__(self, client: ChatClient) -> None:
        self.place: Place | None = None
        self.shown = ShownMessages()
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
            "banned": self._banned,
            "moderators": self._moderators,
            "log": self._log,
            "password": self._password,
            "who": self._who,
            "typing": self._typing,
            "help": self._help,
        }

    @property
    def places(self) -> int:
        """Number of open rooms and chats; with several, each message is shown with its room."""
        return len(self._client.rooms) + isinstance(self.place, DirectChat)

    async def do(self, command: Command) -> object:
        """Execute a command; return its answer.

        Raises:
            InvalidCommand: it does not apply to the present room or chat.
            ChatError, ConnectionError, TimeoutError, ValueError: a request of the client failed.
        """
        return await self._table[command.command](command)

    async def _place(self, command: Command) -> Place:
        """Return the room or chat that a command names, or else the present one."""
        if command.room is not None:
            return Room(self._client.joined_name(command.room))
        if command.user is not None:
            return DirectChat(command.user, (await self._client.create_chat(command.user)).id)
        if self.place is None:
            raise InvalidCommand("join a room first: /join ROOM, or /dm USER")
        return self.place

    def _room(self, command: Command) -> str:
        if command.room is not None:
            return self._client.joined_name(command.room)
        if isinstance(self.place, Room):
            return self.place.name
        raise InvalidCommand("join a room first: /join ROOM")

    async def _say(self, command: Command) -> object:
        user = command.user
        if user is None and command.room is None and isinstance(self.place, DirectChat):
            user = self.place.user
        if user is not None:
            accepted = await self._client.send_to(user, command.content)
            if accepted.chat_id is not None:
                self.shown.sent(accepted.chat_id, accepted.id)
            return accepted
        room = self._room(command)
        accepted = await self._client.send(room, command.content)
        self.shown.sent(room, accepted.id)
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
        leaving = self.place if command.room is None else Room(self._room(command))
        if leaving is None:
            raise InvalidCommand("join a room first: /join ROOM")
        if isinstance(leaving, Room):
            await self._client.leave_room(leaving.name)
        if self.place == leaving:
            self.place = next(map(Room, self._client.rooms), None)
        return leaving._asdict()

    async def _rooms(self, command: Command) -> object:  # noqa: ARG002 - every action is given it
        return await self._client.get_rooms()

    async def _dm(self, command: Command) -> object:
        if command.user is None:
            raise InvalidCommand("name a user: /dm USER")
        chat = await self._client.create_chat(command.user)
        history = await self._client.messages(chat.id, limit=CHAT_HISTORY_MESSAGES)
        self.shown.messages(history, self._client.user)
        mine = str(chat.user1_id) == str(self._client.user)
        user = chat.user2_id if mine else chat.user1_id
        self.place = DirectChat(user, chat.id)
        return OpenedChat(chat, user, history)

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
            case DirectChat(_, chat_id):
                seq = self.shown.last(chat_id)
                await self._client.seen(chat_id=chat_id, seq=seq)
        return {"seq": seq}

    async def _history(self, command: Command) -> object:
        match await self._place(command):
            case Room(name):
                return await self._client.history(name, limit=command.limit)
            case DirectChat(_, chat_id):
                return await self._client.history(chat_id=chat_id, limit=command.limit)

    async def _delete(self, command: Command) -> object:
        match await self._place(command):
            case Room(name):
                message_id = self.shown.last_own(name)
            case DirectChat(_, chat_id):
                message_id = self.shown.last_own(chat_id)
        if message_id is None:
            raise InvalidCommand("you have sent no message here that could be deleted")
        await self._client.delete_message(message_id)
        self.shown.deleted(message_id)
        return {"messageId": message_id}

    async def _clear(self, command: Command) -> object:
        await self._client.delete_messages(self._room(command))
        return {}

    async def _kick(self, command: Command) -> object:
        return await self._client.kick(self._room(command), _required_user(command))

    async def _ban(self, command: Command) -> object:
        return await self._client.ban(self._room(command), _required_user(command))

    async def _unban(self, command: Command) -> object:
        return await self._client.unban(self._room(command), _required_user(command))

    async def _moderator(self, command: Command) -> object:
        room, user = self._room(command), _required_user(command)
        return await self._client.set_moderator(room, user, moderator=command.on)

    async def _banned(self, command: Command) -> object:
        return await _all_users(self._client.banned, self._room(command))

    async def _moderators(self, command: Command) -> object:
        return await _all_users(self._client.moderators, self._room(command))

    async def _log(self, command: Command) -> object:
        room, at, items, partial = self._room(command), command.before, list[Act](), False
        while len(items) < command.limit:
            # A page has fewer entries than were asked for where most deletions are of own messages.
            page = await self._client.moderation_log(room, at, command.limit - len(items))
            items += page.items
            at, partial = page.next, partial or page.partial
            if at is None:
                break
        return ActPage(items, at, partial)

    async def _password(self, command: Command) -> object:
        await self._client.set_password(self._room(command), command.password)
        return {}

    async def _who(self, command: Command) -> object:
        match await self._place(command):
            case Room(name):
                return self._client.typing_users(name)
            case DirectChat(_, chat_id):
                return self._client.typing_users(chat_id=chat_id)

    async def _typing(self, command: Command) -> object:
        match await self._place(command):
            case Room(name):
                await self._client.typing(name)
            case DirectChat(_, chat_id):
                await self._client.typing(chat_id=chat_id)
        return {}

    async def _help(self, command: Command) -> object:  # noqa: ARG002 - every action is given it
        return {}
