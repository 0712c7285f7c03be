"""What a client is told: typed events, and how frames become them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from gateway.client.wire import Data, Frame

TYPING: Final = " is typing..."


class Event(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="event"):
    """Something that happened. Times are in UTC."""


class Message(Event, frozen=True, kw_only=True, tag="message"):
    """A message: live, missed and caught up with, or an item of history.

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


class HistoryCleared(Event, frozen=True, kw_only=True, tag="deleteMessages"):
    """Every message of the room before `seq` is deleted."""

    room: str
    seq: int
    prev: int


class Notification(Event, frozen=True, kw_only=True, tag="notification"):
    """A line of information for a room, or for everyone where `room` is None."""

    content: str
    created_at: datetime
    room: str | None = None


class TypingEvent(Event, frozen=True, kw_only=True, tag="typing"):
    """Somebody is typing, or has stopped; `ChatClient.typing_in(room)` keeps count.

    Attributes:
        username: who is typing; None for who has stopped, as the server does not say who.
    """

    room: str | None
    text: str
    username: str | None = None


class RoomCreated(Event, frozen=True, kw_only=True, tag="roomCreated"):
    """A room that this client made; also the reply to its request."""

    id: int
    name: str
    protected: bool
    created_at: datetime


class ServerError(Event, frozen=True, kw_only=True, tag="error"):
    """An error that answers no request."""

    code: str
    message: str
    retryable: bool = False


class Other(Event, frozen=True, kw_only=True, tag="other"):
    """An event that this client does not know, as it came.

    Attributes:
        seq: its place in the room's log; 0 for what is no part of it.
        prev: the place before it.
    """

    name: str
    data: Data = None
    room: str | None = None
    seq: int = 0
    prev: int = 0


class Connected(Event, frozen=True, kw_only=True, tag="connected"):
    """A connection is open.

    Attributes:
        url: of the WebSocket, without its query.
        again: it is not the first; a `CaughtUp` of each room follows.
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
    """After a reconnect: all that was missed in the room has been shown, `count` messages."""

    room: str
    count: int


class RoomLost(Event, frozen=True, kw_only=True, tag="roomLost"):
    """After a reconnect: the server does not let this client into the room any more."""

    room: str
    code: str
    message: str


class Accepted(msgspec.Struct, frozen=True, rename="camel"):
    """The server's word that a message is kept.

    Attributes:
        id: in the cluster.
        seq: its place in the room.
    """

    id: int
    seq: int
    created_at: datetime


class RoomInfo(msgspec.Struct, frozen=True, rename="camel"):
    """A room of the list. `protected`: joining takes a password."""

    name: str
    protected: bool


class HistoryPage(msgspec.Struct, frozen=True, rename="camel"):
    """Messages, oldest first.

    Attributes:
        head: the last seq of the room.
        partial: a part of the server is away, and more may belong here.
    """

    items: list[Message]
    head: int
    partial: bool = False


class Joined(msgspec.Struct, frozen=True, rename="camel"):
    """The reply to `joinRoom`, with the newest messages, oldest first.

    Attributes:
        head: the last seq of the room.
        epoch: of the broker's data.
    """

    room: str
    head: int
    epoch: int = 0
    history: list[Message] = []


Placed = Message | HistoryCleared | Other
"""What has a place in a room's log."""

_TYPES: Final[Mapping[str, type[Event]]] = {
    "message": Message,
    "deleteMessages": HistoryCleared,
    "roomCreated": RoomCreated,
    "error": ServerError,
}


def event_of(frame: Frame) -> Event:
    """Type a frame; what is not known, or not of the form known, comes as `Other`."""
    data = frame.data
    try:
        if kind := _TYPES.get(frame.event):
            return msgspec.convert(data, kind)
        if frame.event == "notification":
            at = datetime.fromtimestamp(data["createdAt"] / 1000, UTC)
            return Notification(content=str(data["content"]), created_at=at, room=frame.room)
        if frame.event == "typing" and isinstance(data, str):
            name = data.removesuffix(TYPING) if data.endswith(TYPING) else None
            return TypingEvent(room=frame.room, text=data, username=name)
    except (msgspec.ValidationError, TypeError, KeyError, ValueError, OverflowError):
        pass  # a newer server's form
    return _other(frame)


def placed(event: Event) -> Placed | None:
    """The event if it has a place in a room's log, else None."""
    return event if isinstance(event, Message | HistoryCleared | Other) and event.seq else None


def _other(frame: Frame) -> Other:
    data = frame.data if isinstance(frame.data, dict) else {}
    seq, prev = data.get("seq"), data.get("prev")
    if frame.room is None or not isinstance(seq, int) or not isinstance(prev, int):
        seq = prev = 0
    return Other(name=frame.event, data=frame.data, room=frame.room, seq=seq, prev=prev)
