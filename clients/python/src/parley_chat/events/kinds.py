"""What a client is told: typed events."""

from datetime import datetime

import msgspec

from parley_chat.connection.wire import Data

UserId = int | str
"""A user: text, or a decimal integer, which comes back as one."""


class Event(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="event"):
    """Something that happened. Times are in UTC."""


class Message(Event, frozen=True, kw_only=True, tag="message"):
    """A message in a room: live, missed and caught up with, or an item of history.

    Attributes:
        id: in the cluster.
        seq: its place in the room.
        prev: the place before it; 0 for the first.
        deleted: it keeps its place and says nothing.
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
    """A message in a direct chat: live, missed and caught up with, or an item of history.

    Attributes:
        id: in the cluster.
        seq: its place in the chat.
        prev: the place before it; 0 for the first.
        seen: whether its receiver had seen it, when this was told.
        seen_at: since when.
        deleted: it keeps its place and says nothing.
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
    """Every message of the room before `seq` is deleted."""

    room: str
    seq: int
    prev: int


class MessageDeleted(Event, frozen=True, kw_only=True, tag="messageDeleted"):
    """A message is deleted.

    Attributes:
        seq: the place of the deletion; 0 when it was missed, and found out by the history.
        prev: the place before it.
        room: where, if it was in a room.
        chat_id: where, if it was in a chat; None also in a chat of which this client does not
            know the message.
    """

    message_id: int
    seq: int = 0
    prev: int = 0
    room: str | None = None
    chat_id: int | None = None


class RuleChange(Event, frozen=True, kw_only=True):
    """Something about who may what in a room.

    Attributes:
        seq: its place in the room.
        prev: the place before it.
        by: who did it.
    """

    room: str
    seq: int
    prev: int
    by: UserId


class Kicked(RuleChange, frozen=True, kw_only=True, tag="kicked"):
    """A user was put out of the room; a `RoomLost` follows for that user's own client."""

    user: UserId


class Banned(RuleChange, frozen=True, kw_only=True, tag="banned"):
    """A user was put out of the room and may not enter again; else as `Kicked`."""

    user: UserId


class Unbanned(RuleChange, frozen=True, kw_only=True, tag="unbanned"):
    """A user who was banned may enter again."""

    user: UserId


class ModeratorChanged(RuleChange, frozen=True, kw_only=True, tag="moderatorChanged"):
    """A user is a moderator of the room from here on, or is none any more."""

    user: UserId
    moderator: bool


class PasswordChanged(RuleChange, frozen=True, kw_only=True, tag="passwordChanged"):
    """The room has another password, or none any more. Who is inside stays."""

    protected: bool


class Notification(Event, frozen=True, kw_only=True, tag="notification"):
    """A line of information for a room, or for everyone where `room` is None."""

    content: str
    created_at: datetime
    room: str | None = None


class TypingEvent(Event, frozen=True, kw_only=True, tag="typing"):
    """Somebody is typing in a room or a chat, or has stopped; `ChatClient.typing_in` keeps count.

    Attributes:
        username: who is typing; None for who has stopped, as the server does not say who.
    """

    text: str
    room: str | None = None
    chat_id: int | None = None
    username: str | None = None


class RoomCreated(Event, frozen=True, kw_only=True, tag="roomCreated"):
    """A room that this client made; also the reply to its request."""

    id: int
    name: str
    protected: bool
    created_at: datetime


class NewChat(Event, frozen=True, kw_only=True, tag="newChat"):
    """There is a direct chat of this client's user that was not there before."""

    id: int
    user1_id: UserId
    user2_id: UserId
    created_at: datetime


class ChatInfo(msgspec.Struct, frozen=True, rename="camel"):
    """A direct chat of a list.

    Attributes:
        unread: messages of the other user that this one has not seen.
        last_message: None while nothing was said.
    """

    id: int
    user1_id: UserId
    user2_id: UserId
    created_at: datetime
    unread: int = 0
    last_message: NewMessage | None = None

    def other(self, user: UserId) -> UserId:
        """The one of its users who is not `user`."""
        return self.user2_id if str(self.user1_id) == str(user) else self.user1_id


class ChatsList(Event, frozen=True, kw_only=True, tag="chatsList"):
    """On coming online: the chats with unread messages, the latest news first."""

    chats: list[ChatInfo]


class ChatDeleted(Event, frozen=True, kw_only=True, tag="chatDeleted"):
    """A direct chat is gone with all it held."""

    id: int


class Seen(Event, frozen=True, kw_only=True, tag="seen"):
    """A user has seen everything in a room or a chat up to `seq`."""

    user: UserId
    seq: int
    room: str | None = None
    chat_id: int | None = None


class MessageSeen(Event, frozen=True, kw_only=True, tag="messageSeen"):
    """The receiver of a direct message has seen it, and all before it.

    Attributes:
        chat_id: None when this client does not know the message.
    """

    message_id: int
    seen: bool = True
    chat_id: int | None = None


class OnlineUsers(Event, frozen=True, kw_only=True, tag="onlineUsers"):
    """Who is online, of those whom this client's user may see."""

    users: list[UserId]


class ServerError(Event, frozen=True, kw_only=True, tag="error"):
    """An error that answers no request."""

    code: str
    message: str
    retryable: bool = False


class Other(Event, frozen=True, kw_only=True, tag="other"):
    """An event that this client does not know, as it came.

    Attributes:
        seq: its place in the log of the room or chat; 0 for what is no part of one.
        prev: the place before it.
    """

    name: str
    data: Data = None
    room: str | None = None
    chat_id: int | None = None
    seq: int = 0
    prev: int = 0


class Connected(Event, frozen=True, kw_only=True, tag="connected"):
    """A connection is open.

    Attributes:
        url: of the WebSocket, without its query.
        again: it is not the first; a `CaughtUp` of each room and chat follows.
    """

    url: str
    again: bool


class Disconnected(Event, frozen=True, kw_only=True, tag="disconnected"):
    """The connection is lost.

    Attributes:
        reason: for a person.
        final: the server does not want this client; it does not try again.
    """

    reason: str
    final: bool = False


class CaughtUp(Event, frozen=True, kw_only=True, tag="caughtUp"):
    """All that was missed in the room or the chat has been shown, `count` messages."""

    room: str | None = None
    chat_id: int | None = None
    count: int


class RoomLost(Event, frozen=True, kw_only=True, tag="roomLost"):
    """This client is not in the room any more: it was put out, or is not let in again."""

    room: str
    code: str
    message: str
