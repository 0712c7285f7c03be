"""What clients are told of an event."""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from gateway.protocols.frames import Outgoing
from gateway.protocols.payloads import (
    ChatDeletedPayload,
    ClearedPayload,
    MessageDeletedPayload,
    MessagePayload,
    MessageSeenPayload,
    ModeratorChangedPayload,
    NewMessagePayload,
    NotificationPayload,
    PasswordChangedPayload,
    PutOutPayload,
    SeenPayload,
    iso,
    user_out,
)
from shared.model.events import (
    Banned,
    CursorMoved,
    Event,
    HistoryCleared,
    Kicked,
    MessageDeleted,
    MessagePosted,
    ModeratorChanged,
    Notice,
    PasswordChanged,
    RoomDeleted,
    RuleChange,
    TypingChanged,
    Unbanned,
)
from shared.model.rooms import Room


class Announcement(msgspec.Struct, frozen=True):
    """An event for clients.

    Attributes:
        room: the named room it belongs to, beside its data.
        chat_id: the direct chat it belongs to, where its data does not say.
        sheddable: it is worth nothing to a client that lags.
        offset: what a Socket.IO client shows when it comes back; empty for what changes nothing.
    """

    event: str
    data: Any
    room: str | UnsetType = UNSET
    chat_id: int | UnsetType = UNSET
    sheddable: bool = False
    offset: str = ""

    def outgoing(self) -> Outgoing:
        """The frame."""
        return Outgoing(self.event, room=self.room, chat_id=self.chat_id, data=self.data)


def announced(event: Event, room: Room, offset: str) -> list[Announcement]:
    """What those are told who may know of an event in a room or a direct chat.

    Args:
        event: what happened.
        room: where.
        offset: of the event.
    """
    if room.kind == "direct":
        return announcements(event, None, (room.user1, room.user2), offset)
    return announcements(event, room.name, offset=offset)


def announcements(
    event: Event, room: str | None, users: tuple[str, str] | None = None, offset: str = ""
) -> list[Announcement]:
    """What those are told who may know of an event.

    Args:
        event: what happened.
        room: the name of the named room it happened in, if it did in one.
        users: the users of the direct chat it happened in, if it did in one.
        offset: of the event.
    """
    if users is not None:
        return _in_chat(event, users, offset)
    place = UNSET if room is None else room
    body = event.body
    # What most events are comes before the match, which takes longer.
    if isinstance(body, MessagePosted):
        at, name = iso(event.created_at), room or ""
        payload = MessagePayload(
            event.id, event.seq, event.prev, name, body.content, body.sender, at
        )
        return [Announcement("message", payload, place, offset=offset)]
    match body:
        case HistoryCleared():
            note = NotificationPayload("All messages have been deleted", event.created_at)
            cleared = ClearedPayload(room or "", event.seq, event.prev)
            return [
                Announcement("deleteMessages", cleared, place, offset=offset),
                Announcement("notification", note, place),
            ]
        case MessageDeleted(_, message_id):
            deleted = MessageDeletedPayload(message_id, event.seq, event.prev)
            return [Announcement("messageDeleted", deleted, place, offset=offset)]
        case Kicked() | Banned() | Unbanned() | ModeratorChanged() | PasswordChanged():
            return [_rule_change(event, body, room or "", offset)]
        case Notice(content):
            note = NotificationPayload(content, event.created_at)
            return [Announcement("notification", note, place)]
        case TypingChanged(text):
            return [Announcement("typing", text, place, sheddable=True, offset=offset)]
        case CursorMoved(user, seq):
            return [Announcement("seen", SeenPayload(user_out(user), seq), place)]
        case _:
            return []


def _rule_change(event: Event, body: RuleChange, room: str, offset: str) -> Announcement:
    where = (room, event.seq, event.prev)
    by = user_out(body.by)
    match body:
        case Kicked(user):
            name, payload = "kicked", PutOutPayload(*where, user_out(user), by)
        case Banned(user):
            name, payload = "banned", PutOutPayload(*where, user_out(user), by)
        case Unbanned(user):
            name, payload = "unbanned", PutOutPayload(*where, user_out(user), by)
        case ModeratorChanged(user, _, moderator):
            changed = ModeratorChangedPayload(*where, user_out(user), by, moderator)
            return Announcement("moderatorChanged", changed, room, offset=offset)
        case PasswordChanged(_, protected):
            locked = PasswordChangedPayload(*where, by, protected)
            return Announcement("passwordChanged", locked, room, offset=offset)
    return Announcement(name, payload, room, offset=offset)


def _in_chat(event: Event, users: tuple[str, str], offset: str) -> list[Announcement]:
    chat, body = event.room_id, event.body
    if isinstance(body, MessagePosted):
        return [Announcement("newMessage", _new_message(event, body, users), offset=offset)]
    match body:
        case MessageDeleted(_, message_id):
            deleted = MessageDeletedPayload(message_id, event.seq, event.prev)
            return [Announcement("messageDeleted", deleted, chat_id=chat, offset=offset)]
        case RoomDeleted():
            return [Announcement("chatDeleted", ChatDeletedPayload(chat), offset=offset)]
        case CursorMoved(message_id=message_id) if message_id:
            marked = MessageSeenPayload(message_id, seen=True)
            return [Announcement("messageSeen", marked, chat_id=chat)]
        case CursorMoved(user, seq):
            return [Announcement("seen", SeenPayload(user_out(user), seq), chat_id=chat)]
        case TypingChanged(text):
            return [Announcement("typing", text, chat_id=chat, sheddable=True, offset=offset)]
        case _:
            return []


def _new_message(event: Event, body: MessagePosted, users: tuple[str, str]) -> NewMessagePayload:
    sender = body.sender
    return NewMessagePayload(
        event.id,
        event.room_id,
        event.seq,
        event.prev,
        user_out(sender),
        user_out(users[1] if sender == users[0] else users[0]),
        body.content,
        False,  # noqa: FBT003 - in the order of the fields, which is faster
        None,
        iso(event.created_at),
    )
