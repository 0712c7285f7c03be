"""Payloads about direct chats and their messages."""

from msgspec import UNSET, UnsetType

from gateway.protocols.payloads.base import Payload, iso, user_out
from shared.model.fields import UserId
from shared.model.rooms import Room
from shared.model.timeline import Message


class NewMessagePayload(Payload, frozen=True, omit_defaults=True):
    """Message of a direct chat.

    Attributes:
        id: id of the message, unique in the installation.
        chat_id: id of the direct chat.
        seq: number of the message in its chat; it only grows.
        prev: `seq` of the event before it in the chat. A client that has not got that event has
            missed something.
        sender_id: the user who sent it.
        receiver_id: the user who gets it.
        content: text of the message; missing in a deleted one.
        seen: true if the receiver has seen it; always false for a note that users write to
            themselves.
        seen_at: time the receiver saw it (ISO 8601, UTC, milliseconds), or null.
        created_at: time it was accepted (ISO 8601, UTC, milliseconds).
        deleted: true for a message that was deleted, which history shows without its text;
            missing otherwise.
    """

    id: int
    chat_id: int
    seq: int
    prev: int
    sender_id: UserId
    receiver_id: UserId
    content: str | UnsetType
    seen: bool
    seen_at: str | None
    created_at: str
    deleted: bool = False


class LoadedMessagesPayload(Payload, frozen=True, omit_defaults=True):
    """Result of `getMessages`; the messages themselves come before it, as `loadMessages`.

    Attributes:
        next: `seq` to give as `before` for older messages; null if there are none.
        partial: true if the broker or the database did not answer and messages may be missing: ask
            again later. Missing otherwise.
    """

    next: int | None
    partial: bool = False


class ChatPayload(Payload, frozen=True):
    """Direct chat of two users.

    Attributes:
        id: id of the chat, unique in the installation.
        user1_id: one of the two users.
        user2_id: the other user; the same one in a chat in which users keep notes.
        created_at: time it was created (ISO 8601, UTC, milliseconds).
    """

    id: int
    user1_id: UserId
    user2_id: UserId
    created_at: str


class ShownChatPayload(ChatPayload, frozen=True, omit_defaults=True):
    """Direct chat of two users, read by its id.

    Attributes:
        id: id of the chat, unique in the installation.
        user1_id: one of the two users.
        user2_id: the other user; the same one in a chat in which users keep notes.
        created_at: time it was created (ISO 8601, UTC, milliseconds).
        partial: true if the broker did not answer: the chat may have been deleted a moment ago.
            Missing otherwise.
    """

    partial: bool = False


class ListedChatPayload(Payload, frozen=True):
    """Direct chat in a list of one of its users.

    Attributes:
        id: id of the chat, unique in the installation.
        user1_id: one of the two users.
        user2_id: the other user.
        created_at: time it was created (ISO 8601, UTC, milliseconds).
        unread: number of messages of the other user that the user has not seen.
        last_message: the newest message, or null in a chat without any.
    """

    id: int
    user1_id: UserId
    user2_id: UserId
    created_at: str
    unread: int
    last_message: NewMessagePayload | None


class ListedChatsPayload(Payload, frozen=True, omit_defaults=True):
    """Result of `getChats`; the chats themselves come before it, as `chatsList`.

    Attributes:
        next: what to give as `before` for the chats that follow; null if none do.
        partial: true if the broker did not answer, so that chats and messages may be missing: ask
            again later. Only where the request has `partial`; missing otherwise.
    """

    next: str | None
    partial: bool = False


class ChatDeletedPayload(Payload, frozen=True):
    """Direct chat that was deleted.

    Attributes:
        id: id of the chat.
    """

    id: int


class MessageSeenPayload(Payload, frozen=True):
    """Message of a direct chat that was marked as seen.

    Attributes:
        message_id: id of the message.
        seen: always true.
    """

    message_id: int
    seen: bool


def new_message_payload(message: Message, chat: Room) -> NewMessagePayload:
    """A message of a direct chat."""
    receiver = chat.user2 if message.sender == chat.user1 else chat.user1
    seen_at = None if message.seen_at is None else iso(message.seen_at)
    return NewMessagePayload(
        id=message.id,
        chat_id=chat.id,
        seq=message.seq,
        prev=message.prev,
        sender_id=user_out(message.sender),
        receiver_id=user_out(receiver),
        content=UNSET if message.deleted else message.content,
        seen=seen_at is not None,
        seen_at=seen_at,
        created_at=iso(message.created_at),
        deleted=message.deleted,
    )


def chat_payload(chat: Room) -> ChatPayload:
    """A direct chat."""
    return ChatPayload(chat.id, user_out(chat.user1), user_out(chat.user2), iso(chat.created_at))


def shown_chat_payload(chat: Room, *, partial: bool) -> ShownChatPayload:
    """A direct chat that was read by its id."""
    users = (user_out(chat.user1), user_out(chat.user2))
    return ShownChatPayload(chat.id, *users, iso(chat.created_at), partial)


def listed_chat_payload(chat: Room, unread: int, last: Message | None) -> ListedChatPayload:
    """A direct chat in a list of one of its users."""
    return ListedChatPayload(
        chat.id,
        user_out(chat.user1),
        user_out(chat.user2),
        iso(chat.created_at),
        unread,
        new_message_payload(last, chat) if last else None,
    )
