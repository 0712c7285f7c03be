"""Typed events."""

from datetime import datetime

import msgspec

from parley_chat.connection.wire import Data

UserId = int | str
"""A user id: text, or an integer."""


class Event(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="event"):
    """An event; times are in UTC."""


class Message(Event, frozen=True, kw_only=True, tag="message"):
    """A message in a room: new, caught up with, or part of the history.

    Attributes:
        id: Number of the message in the whole cluster.
        seq: Number of the event in the room.
        prev: The `seq` of the event before it; 0 for the first.
        deleted: Whether it was deleted; then it has no content.
    """

    room: str
    id: int
    seq: int
    prev: int
    content: str = ""
    sender: str = ""
    created_at: datetime | None = None
    deleted: bool = False


class NewMessage(Event, frozen=True, kw_only=True, tag="newMessage"):
    """A message in a direct chat: new, caught up with, or part of the history.

    Attributes:
        id: Number of the message in the whole cluster.
        seq: Number of the event in the chat.
        prev: The `seq` of the event before it; 0 for the first.
        seen: Whether its receiver had seen it when the server sent this.
        seen_at: Time since which it is seen.
        deleted: Whether it was deleted; then it has no content.
    """

    chat_id: int
    id: int
    seq: int
    prev: int
    sender_id: UserId
    receiver_id: UserId
    content: str = ""
    seen: bool = False
    seen_at: datetime | None = None
    created_at: datetime | None = None
    deleted: bool = False


class HistoryCleared(Event, frozen=True, kw_only=True, tag="deleteMessages"):
    """All messages of the room before `seq` were deleted."""

    room: str
    seq: int
    prev: int


class MessageDeleted(Event, frozen=True, kw_only=True, tag="messageDeleted"):
    """A message was deleted.

    Attributes:
        seq: Number of the deletion in the log; 0 if it was missed, and found in the history.
        prev: The `seq` of the event before it.
        room: Room of the message, if it was in one.
        chat_id: Chat of the message, if it was in one. None also for a message in a chat that this
            client has not seen.
    """

    message_id: int
    seq: int = 0
    prev: int = 0
    room: str | None = None
    chat_id: int | None = None


class Notification(Event, frozen=True, kw_only=True, tag="notification"):
    """A line of information for a room, or for everyone if `room` is None."""

    content: str
    created_at: datetime
    room: str | None = None


class TypingEvent(Event, frozen=True, kw_only=True, tag="typing"):
    """A user began to type in a room or a chat, goes on, or stopped.

    `ChatClient.typing_users` returns who is typing by all these events.

    Attributes:
        username: User who typed last of those who are typing; None if nobody is. From a server
            that sends no `users`, None means that a user stopped, and others may be typing.
        users: All who are typing; None from a server that does not send it.
    """

    text: str
    room: str | None = None
    chat_id: int | None = None
    username: str | None = None
    users: list[UserId] | None = None


class RoomCreated(Event, frozen=True, kw_only=True, tag="roomCreated"):
    """A room that this client created; also the answer to its request."""

    id: int
    name: str
    protected: bool
    created_at: datetime


class NewChat(Event, frozen=True, kw_only=True, tag="newChat"):
    """A direct chat of this client's user was created."""

    id: int
    user1_id: UserId
    user2_id: UserId
    created_at: datetime


class ChatInfo(msgspec.Struct, frozen=True, rename="camel"):
    """A direct chat of a list.

    Attributes:
        unread: Number of the other user's messages that this user has not seen.
        last_message: The newest message; None if there is none.
    """

    id: int
    user1_id: UserId
    user2_id: UserId
    created_at: datetime
    unread: int = 0
    last_message: NewMessage | None = None

    def other(self, user: UserId) -> UserId:
        """Return the user of the chat who is not `user`."""
        return self.user2_id if str(self.user1_id) == str(user) else self.user1_id


class ChatsList(Event, frozen=True, kw_only=True, tag="chatsList"):
    """Chats with unread messages, sent when the user goes online; the newest first."""

    chats: list[ChatInfo]


class ChatDeleted(Event, frozen=True, kw_only=True, tag="chatDeleted"):
    """A direct chat was deleted with all its messages."""

    id: int


class Seen(Event, frozen=True, kw_only=True, tag="seen"):
    """A user has seen all messages of a room or a chat up to `seq`."""

    user: UserId
    seq: int
    room: str | None = None
    chat_id: int | None = None


class MessageSeen(Event, frozen=True, kw_only=True, tag="messageSeen"):
    """The receiver of a direct message has seen it, and all messages before it.

    Attributes:
        chat_id: The chat; None if this client has not seen the message.
    """

    message_id: int
    seen: bool = True
    chat_id: int | None = None


class OnlineUsers(Event, frozen=True, kw_only=True, tag="onlineUsers"):
    """All users who are online, of those whom this client's user may see."""

    users: list[UserId]


class ServerError(Event, frozen=True, kw_only=True, tag="error"):
    """An error that is not the answer to a request."""

    code: str
    message: str
    retryable: bool = False


class UnknownEvent(Event, frozen=True, kw_only=True, tag="unknown"):
    """An event of a kind that this client does not know, with its raw data.

    Attributes:
        name: Name of the event in the protocol.
        seq: Number of the event in the log of the room or chat; 0 if it is part of no log.
        prev: The `seq` of the event before it.
    """

    name: str
    data: Data = None
    room: str | None = None
    chat_id: int | None = None
    seq: int = 0
    prev: int = 0


class Connected(Event, frozen=True, kw_only=True, tag="connected"):
    """A connection was opened.

    Attributes:
        url: URL of the WebSocket, without its query.
        again: Whether it is not the first; then a `CaughtUp` of each room and chat follows.
    """

    url: str
    again: bool


class Disconnected(Event, frozen=True, kw_only=True, tag="disconnected"):
    """The connection was lost.

    Attributes:
        reason: A sentence for a person.
        final: Whether the server refused this client for good; then it does not connect again.
    """

    reason: str
    final: bool = False


class CaughtUp(Event, frozen=True, kw_only=True, tag="caughtUp"):
    """All missed events of a room or a chat have been delivered, `count` messages among them."""

    room: str | None = None
    chat_id: int | None = None
    count: int


class RoomLost(Event, frozen=True, kw_only=True, tag="roomLost"):
    """This client is no longer in the room: it was removed, or could not join again.

    Attributes:
        reason: "kicked" or "banned", where that is known.
    """

    room: str
    code: str
    message: str
    reason: str | None = None
