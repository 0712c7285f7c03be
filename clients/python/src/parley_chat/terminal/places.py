"""Rooms and direct chats of a conversation, and the messages shown of them."""

from collections.abc import Iterable
from typing import NamedTuple

from parley_chat.events.kinds import (
    ChatDeleted,
    Event,
    Message,
    MessageDeleted,
    NewMessage,
    UserId,
)


class Room(NamedTuple):
    """A room that was joined."""

    name: str

    @property
    def prompt(self) -> str:
        """Text in front of the line being typed."""
        return self.name


class DirectChat(NamedTuple):
    """A direct chat that is open."""

    user: UserId
    chat_id: int

    @property
    def prompt(self) -> str:
        """Text in front of the line being typed."""
        return f"@{self.user}"


Place = Room | DirectChat
Key = str | int
"""Name of a room, or id of a chat."""


class ShownMessages:
    """The last `seq` shown of each room and chat, and the user's own messages there."""

    def __init__(self) -> None:
        self._last: dict[Key, int] = {}
        self._own: dict[Key, set[int]] = {}

    def take(self, event: Event, user: UserId | None) -> None:
        """Learn from an event; messages of `user` are the user's own."""
        match event:
            case Message() | NewMessage():
                self.messages([event], user)
            case MessageDeleted(message_id=message_id):
                self.deleted(message_id)
            case ChatDeleted(id=chat_id):
                self._last.pop(chat_id, None)
                self._own.pop(chat_id, None)
            case _:
                pass

    def messages(self, messages: Iterable[Message | NewMessage], user: UserId | None) -> None:
        """Learn from messages, live ones or those of a page."""
        for message in messages:
            key: Key
            if isinstance(message, Message):
                key, sender = message.room, message.sender
            else:
                key, sender = message.chat_id, str(message.sender_id)
            self._last[key] = max(message.seq, self._last.get(key, 0))
            if sender == str(user) and not message.deleted:
                self.sent(key, message.id)

    def sent(self, key: Key, message_id: int) -> None:
        """Remember a message of the user that was accepted."""
        self._own.setdefault(key, set()).add(message_id)

    def deleted(self, message_id: int) -> None:
        """Forget a message that was deleted."""
        for own in self._own.values():
            own.discard(message_id)

    def last(self, key: Key) -> int:
        """Return the last `seq` shown of a room or a chat."""
        return self._last.get(key, 0)

    def last_own(self, key: Key) -> int | None:
        """Return the id of the user's last message in a room or a chat; ids grow with `seq`."""
        return max(self._own.get(key, ()), default=None)
