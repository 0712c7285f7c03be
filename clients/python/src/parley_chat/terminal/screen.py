"""Events as lines of text. Text of other users cannot control the terminal."""

import unicodedata
from datetime import datetime
from typing import Final
from zlib import crc32

from parley_chat.events.answers import Act
from parley_chat.events.kinds import (
    CaughtUp,
    ChatDeleted,
    ChatInfo,
    ChatsList,
    Connected,
    Disconnected,
    Event,
    HistoryCleared,
    Message,
    MessageDeleted,
    MessageSeen,
    NewChat,
    NewMessage,
    Notification,
    OnlineUsers,
    RoomLost,
    Seen,
    ServerError,
    TypingEvent,
    UserId,
)
from parley_chat.events.rule_changes import BanLifted, RuleChange

# Of the 256 colours, those that can be read on black and on white.
NAME_COLOURS: Final = (33, 34, 35, 37, 64, 69, 98, 99, 130, 133, 135, 136, 161, 162, 166, 168, 172)
DIM, RED, RESET = "\x1b[2m", "\x1b[31m", "\x1b[0m"

JOINERS: Final = frozenset("\u200c\u200d") | {chr(tag) for tag in range(0xE0020, 0xE0080)}
"""Invisible characters that some scripts and emoji need: joiners, and the tags of flags."""

UNSAFE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of control characters, marks of direction and line ends."""


def escape(text: str) -> str:
    """Escape control characters, and marks that reverse the direction of text."""
    # A character that this Python's tables do not know yet is one that people use, not a control.
    return "".join(
        char if char in JOINERS or unicodedata.category(char) not in UNSAFE else _escaped(char)
        for char in text
    )


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()


def _named(user: UserId | None) -> str:
    return "somebody" if user is None else escape(str(user))


def _done(action: str, act: RuleChange | Act) -> str:
    """Describe what was done in a room; `action` is the event that the room got."""
    by, user = _named(act.by), _named(getattr(act, "user", None))
    match action:
        case "kicked":
            what = f"removed {user} from the room"
        case "banned":
            what = f"banned {user}"
        case "unbanned":
            what = f"took the ban of {user} back"
        case "moderatorChanged":
            role = "a moderator" if getattr(act, "moderator", False) else "a member again"
            what = f"made {user} {role}"
        case "passwordChanged":
            changed = "changed" if getattr(act, "protected", False) else "removed"
            what = f"{changed} the password"
        case "messageDeleted":
            what = f"deleted a message of {user}"
        case "deleteMessages":
            what = "deleted all messages"
        case "roomCreated":
            what = "created the room"
        case _:
            what = "changed the rules of the room"
    return f"{by} {what}"


class Screen:
    """Formats events as lines of text.

    Attributes:
        places: Number of open rooms and chats; with several, each line of a room names it. A line
            of a direct chat always names the other user.
    """

    def __init__(self, own_name: str, *, colours: bool) -> None:
        self.places = 1
        self._own_name = own_name
        self._colours = colours
        self._typing: set[tuple[str | int | None, str]] = set()
        self._partners: dict[int, UserId] = {}
        self._online: set[UserId] | None = None

    def line(self, event: Event) -> str | None:
        """Format an event as one or more lines; None if it needs none."""
        match event:
            case Message() | NewMessage():
                return self.message(event)
            case Notification(content=content, room=room):
                return self.status(f"{self._in_room(room)}{escape(content)}")
            case TypingEvent():
                return self._typed(event)
            case HistoryCleared():
                return None  # a notification follows
            case ServerError(message=message):
                return self.error(message)
            case RuleChange(room=room):
                done = _done(str(event.__struct_config__.tag), event)
                return self.status(f"{self._in_room(room)}{done}")
            case BanLifted(room=room):
                return self.status(f"you can join {escape(room)} again: the ban was lifted")
            case Connected() | Disconnected() | CaughtUp() | RoomLost():
                return self._connection(event)
            case _:
                return self._of_chats(event)

    def message(self, message: Message | NewMessage) -> str:
        """Format a message with its local time; its further lines are indented."""
        sender, place = self._whose(message)
        at = message.created_at or datetime.now().astimezone()
        clock = self._paint(DIM, f"{at.astimezone():%H:%M}")
        if message.deleted:
            return f"{clock} {place}{self._paint(DIM, '(deleted)')}"
        first, *further = message.content.splitlines() or [""]
        head = f"{clock} {place}{self.name(sender)}: {escape(first)}"
        return "\n".join([head, *(f"      | {escape(line)}" for line in further)])

    def chat(self, chat: ChatInfo) -> str:
        """Format a chat of a list: the other user, unread messages, the last message."""
        partner = self.meet(chat)
        unread = f" ({chat.unread} unread)" if chat.unread else ""
        said = chat.last_message.content.splitlines() if chat.last_message else []
        return f"{self.name(str(partner))}{unread}{f': {escape(said[0])}' if said else ''}"

    def act(self, act: Act) -> str:
        """Format what was done in a room, with its local date and time."""
        at = self._paint(DIM, f"{act.at.astimezone():%Y-%m-%d %H:%M}")
        return f"{at} {_done(act.action, act)}"

    def meet(self, chat: ChatInfo | NewChat) -> UserId:
        """Remember the users of a chat; return the other user."""
        mine = str(chat.user1_id) == self._own_name
        partner = self._partners[chat.id] = chat.user2_id if mine else chat.user1_id
        return partner

    def name(self, name: str) -> str:
        """Format a name in its colour, which is the same everywhere."""
        colour = NAME_COLOURS[crc32(name.encode()) % len(NAME_COLOURS)]
        return self._paint(f"\x1b[1;38;5;{colour}m", escape(name))

    def status(self, text: str) -> str:
        """Format a line of information."""
        return self._paint(DIM, f"-- {text}")

    def error(self, text: str) -> str:
        """Format an error."""
        return self._paint(RED, f"!! {escape(text)}")

    def _whose(self, message: Message | NewMessage) -> tuple[str, str]:
        """Return the sender of a message, and the mark of its room or chat."""
        if isinstance(message, Message):
            self._typing.discard((message.room, message.sender))
            return message.sender, self._in_room(message.room)
        sender, receiver = str(message.sender_id), message.receiver_id
        mine = sender == self._own_name
        self._partners[message.chat_id] = receiver if mine else message.sender_id
        self._typing.discard((message.chat_id, sender))
        return sender, self._in_chat(message.chat_id)

    def _of_chats(self, event: Event) -> str | None:
        match event:
            case NewChat():
                self.meet(event)
                return None  # its first message is worth a line
            case ChatsList(chats=chats):
                return "\n".join(f"{self.status('unread: ')}{self.chat(chat)}" for chat in chats)
            case Seen(user=user) if str(user) == self._own_name:
                return None  # on another device
            case Seen(user=user, room=str(room)):
                return self.status(f"{self._in_room(room)}✓ seen by {escape(str(user))}")
            case Seen(chat_id=chat_id) | MessageSeen(chat_id=chat_id):
                return self.status(f"{self._in_chat(chat_id)}✓ seen")
            case MessageDeleted(room=room, chat_id=chat_id):
                place = self._in_chat(chat_id) if room is None else self._in_room(room)
                return self.status(f"{place}a message was deleted")
            case ChatDeleted(id=chat_id):
                return self.status(f"{self._in_chat(chat_id)}the chat was deleted")
            case OnlineUsers(users=users):
                return self._presence_changes(users)
            case _:
                return None

    def _presence_changes(self, users: list[UserId]) -> str | None:
        before, self._online = self._online, set(users)
        if before is None:
            return self.status(f"online: {', '.join(escape(str(user)) for user in users)}")
        connected = [user for user in users if user not in before]
        disconnected = sorted(map(str, before - self._online))
        told = [f"{escape(str(user))} is online" for user in connected]
        told += [f"{escape(user)} went offline" for user in disconnected]
        return "\n".join(map(self.status, told)) or None

    def _connection(self, event: Event) -> str | None:
        match event:
            case Connected(url=url, again=again):
                return self.status(f"{'connected again' if again else 'connected'}: {escape(url)}")
            case Disconnected(reason=reason, final=final):
                what = "the server refused it" if final else "reconnecting..."
                return self.status(f"{escape(reason)}, {what}")
            case CaughtUp(room=None, count=0):
                return None  # there may be many chats
            case CaughtUp(room=room, chat_id=chat_id, count=count):
                place = self._in_chat(chat_id) if room is None else self._in_room(room)
                messages = "1 message" if count == 1 else f"{count} messages"
                return self.status(f"{place}caught up {messages}")
            case RoomLost(room=room, message=message):
                return self.error(f"{room}: {message}")
            case _:
                return None

    def _typed(self, event: TypingEvent) -> str | None:
        """Return the line to print when a user begins to type; None while the user goes on."""
        where, username = event.chat_id if event.room is None else event.room, event.username
        if username is None or event.users is not None:
            still = {(where, str(user)) for user in event.users or ()}
            self._typing = {who for who in self._typing if who[0] != where or who in still}
        if username is None:
            return None
        if where is None or (where, username) in self._typing:
            return None
        self._typing.add((where, username))
        place = self._in_chat(event.chat_id) if event.room is None else self._in_room(event.room)
        return self.status(f"{place}{escape(username)} is typing...")

    def _in_room(self, room: str | None) -> str:
        return f"[{escape(room)}] " if room is not None and self.places > 1 else ""

    def _in_chat(self, chat_id: int | None) -> str:
        if chat_id is None:
            return ""
        return f"[@{escape(str(self._partners.get(chat_id, '?')))}] "

    def _paint(self, code: str, text: str) -> str:
        return f"{code}{text}{RESET}" if self._colours else text
