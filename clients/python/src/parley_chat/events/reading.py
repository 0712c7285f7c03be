"""Conversion of frames into typed events, by one table of the known kinds."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, TypeAlias

import msgspec

from parley_chat.connection.wire import Data, Frame
from parley_chat.errors import ChatError
from parley_chat.events.kinds import (
    ChatDeleted,
    ChatInfo,
    ChatsList,
    Event,
    HistoryCleared,
    Message,
    MessageDeleted,
    MessageSeen,
    NewChat,
    NewMessage,
    Notification,
    OnlineUsers,
    RoomCreated,
    Seen,
    ServerError,
    TypingEvent,
    UnknownEvent,
    UserId,
)
from parley_chat.events.location import Location, location_of
from parley_chat.events.rule_changes import (
    BanLifted,
    Banned,
    Kicked,
    ModeratorChanged,
    PasswordChanged,
    Unbanned,
)

Reader: TypeAlias = Callable[[Frame], Event]

TYPING: Final = " is typing..."


def event_of(frame: Frame) -> Event:
    """Convert a frame; `UnknownEvent` if its kind, or the form of its data, is not known."""
    read = _KINDS.get(frame.event, _other)
    try:
        return read(frame)
    except (msgspec.ValidationError, TypeError, KeyError, ValueError, OverflowError):
        return _other(frame)  # a newer server's form


def error_of(data: Data) -> ChatError:
    """Convert the data of an error that answers a request."""
    told = data if isinstance(data, dict) else {}
    message = told.get("message", "the server gave no reason")
    code, reason = told.get("code", "internal"), told.get("reason")
    error = ChatError(code, message, told.get("retryAfterMs"), reason)
    # A newer server's code may be retryable, too.
    error.retryable = bool(told.get("retryable", error.retryable))
    return error


def _typed(kind: type[Event]) -> Reader:
    """Return the reader of a kind whose data has all fields."""
    return lambda frame: msgspec.convert(frame.data, kind)


def _located(kind: type[Event]) -> Reader:
    """Return the reader of a kind whose room or chat stands in the frame, beside the data."""
    return lambda frame: msgspec.convert(
        {"room": frame.room, "chatId": frame.chat_id, **frame.data}, kind
    )


def _notification(frame: Frame) -> Event:
    at = datetime.fromtimestamp(frame.data["createdAt"] / 1000, UTC)
    return Notification(content=str(frame.data["content"]), created_at=at, room=frame.room)


def _typing(frame: Frame) -> Event:
    if not isinstance(frame.data, str):
        raise TypeError("no text")
    text = frame.data
    name = text.removesuffix(TYPING) if text.endswith(TYPING) else None
    users = msgspec.convert(frame.users, list[UserId] | None)
    return TypingEvent(
        text=text, room=frame.room, chat_id=frame.chat_id, username=name, users=users
    )


def _chats_list(frame: Frame) -> Event:
    return ChatsList(chats=msgspec.convert(frame.data, list[ChatInfo]))


def _online_users(frame: Frame) -> Event:
    return OnlineUsers(users=msgspec.convert(frame.data, list[UserId]))


def _other(frame: Frame) -> UnknownEvent:
    at = location_of(frame) or Location(0, 0, frame.room, frame.chat_id)
    return UnknownEvent(
        name=frame.event,
        data=frame.data,
        room=at.room,
        chat_id=at.chat_id,
        seq=at.seq,
        prev=at.prev,
    )


_KINDS: Final[Mapping[str, Reader]] = {
    "message": _typed(Message),
    "newMessage": _typed(NewMessage),
    "deleteMessages": _typed(HistoryCleared),
    "messageDeleted": _located(MessageDeleted),
    "kicked": _typed(Kicked),
    "banned": _typed(Banned),
    "unbanned": _typed(Unbanned),
    "banLifted": _typed(BanLifted),
    "moderatorChanged": _typed(ModeratorChanged),
    "passwordChanged": _typed(PasswordChanged),
    "roomCreated": _typed(RoomCreated),
    "newChat": _typed(NewChat),
    "chatsList": _chats_list,
    "chatDeleted": _typed(ChatDeleted),
    "seen": _located(Seen),
    "messageSeen": _located(MessageSeen),
    "typing": _typing,
    "notification": _notification,
    "onlineUsers": _online_users,
    "error": _typed(ServerError),
}
