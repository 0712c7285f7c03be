"""How frames become events, and where in the log of which room or chat an event stands."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from clients.python.events import (
    Banned,
    ChatDeleted,
    ChatInfo,
    ChatsList,
    Event,
    HistoryCleared,
    Kicked,
    Message,
    MessageDeleted,
    MessageSeen,
    ModeratorChanged,
    NewChat,
    NewMessage,
    Notification,
    OnlineUsers,
    Other,
    PasswordChanged,
    Placed,
    RoomCreated,
    RuleChange,
    Seen,
    ServerError,
    TypingEvent,
    Unbanned,
    UserId,
)
from clients.python.wire import Frame

TYPING: Final = " is typing..."


def event_of(frame: Frame) -> Event:
    """Type a frame; what is not known, or not of the form known, comes as `Other`."""
    try:
        if kind := _TYPES.get(frame.event):
            return msgspec.convert(frame.data, kind)
        if kind := _LOCATED.get(frame.event):
            where = {"room": frame.room, "chatId": frame.chat_id}
            return msgspec.convert({**where, **frame.data}, kind)
        if read := _READERS.get(frame.event):
            return read(frame)
    except (msgspec.ValidationError, TypeError, KeyError, ValueError, OverflowError):
        pass  # a newer server's form
    return _other(frame)


def placed(event: Event) -> Placed | None:
    """The event if it has a place in the log of a room or a chat, else None."""
    return event if isinstance(event, Placed) and event.seq else None


def home(event: Placed) -> str | int | None:
    """The room, by name, or the chat, by id, in whose log an event is."""
    match event:
        case Message() | HistoryCleared() | RuleChange():
            return event.room
        case NewMessage():
            return event.chat_id
        case _:
            return event.chat_id if event.room is None else event.room


def _notification(frame: Frame) -> Event:
    at = datetime.fromtimestamp(frame.data["createdAt"] / 1000, UTC)
    return Notification(content=str(frame.data["content"]), created_at=at, room=frame.room)


def _typing(frame: Frame) -> Event:
    if not isinstance(frame.data, str):
        raise TypeError("no text")
    text = frame.data
    name = text.removesuffix(TYPING) if text.endswith(TYPING) else None
    return TypingEvent(text=text, room=frame.room, chat_id=frame.chat_id, username=name)


def _chats_list(frame: Frame) -> Event:
    return ChatsList(chats=msgspec.convert(frame.data, list[ChatInfo]))


def _online_users(frame: Frame) -> Event:
    return OnlineUsers(users=msgspec.convert(frame.data, list[UserId]))


def _other(frame: Frame) -> Other:
    data = frame.data if isinstance(frame.data, dict) else {}
    seq, prev = data.get("seq"), data.get("prev")
    nowhere = frame.room is None and frame.chat_id is None
    if nowhere or not isinstance(seq, int) or not isinstance(prev, int):
        seq = prev = 0
    return Other(
        name=frame.event,
        data=frame.data,
        room=frame.room,
        chat_id=frame.chat_id,
        seq=seq,
        prev=prev,
    )


_TYPES: Final[Mapping[str, type[Event]]] = {
    "message": Message,
    "newMessage": NewMessage,
    "deleteMessages": HistoryCleared,
    "roomCreated": RoomCreated,
    "newChat": NewChat,
    "chatDeleted": ChatDeleted,
    "error": ServerError,
    "kicked": Kicked,
    "banned": Banned,
    "unbanned": Unbanned,
    "moderatorChanged": ModeratorChanged,
    "passwordChanged": PasswordChanged,
}

# Of these, the frame says where they belong.
_LOCATED: Final[Mapping[str, type[Event]]] = {
    "seen": Seen,
    "messageSeen": MessageSeen,
    "messageDeleted": MessageDeleted,
}

_READERS: Final[Mapping[str, Callable[[Frame], Event]]] = {
    "notification": _notification,
    "typing": _typing,
    "chatsList": _chats_list,
    "onlineUsers": _online_users,
}
