"""Where one talks, and what was shown there."""

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
    """A room one is in."""

    name: str

    @property
    def prompt(self) -> str:
        """What stands in front of the line being typed."""
        return self.name


class Direct(NamedTuple):
    """A direct chat that is open."""

    user: UserId
    chat_id: int

    @property
    def prompt(self) -> str:
        """What stands in front of the line being typed."""
        return f"@{self.user}"


Place = Room | Direct
Key = str | int
"""A room's name, or a chat's id."""


class Shown:
    """Of each room and chat: the last place shown, and one's own messages."""

    def __init__(self) -> None:
        self._last: dict[Key, int] = {}
        self._own: dict[Key, set[int]] = {}

    def take(self, event: Event, user: UserId | None) -> None:
        """Learn from an event; `user` is whose messages are one's own."""
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
        """Learn from messages, live or of a page."""
        for message in messages:
            key: Key
            if isinstance(message, Message):
                key, sender = message.room, message.sender
            else:
                key, sender = message.chat_id, str(message.sender_id)
            self._last[key] = max(message.seq, self._last.get(key, 0))
            if sender == str(user) and not message.deleted:
                self.said(key, message.id)

    def said(self, key: Key, message_id: int) -> None:
        """One's own message was accepted."""
        self._own.setdefault(key, set()).add(message_id)

    def deleted(self, message_id: int) -> None:
        """A message, perhaps one's own, is deleted."""
        for own in self._own.values():
            own.discard(message_id)

    def last(self, key: Key) -> int:
        """The last place shown of a room or a chat."""
        return self._last.get(key, 0)

    def last_own(self, key: Key) -> int | None:
        """One's own last message in a room or a chat: ids grow with the places."""
        return max(self._own.get(key, ()), default=None)
