"""What clients are sent: the payload of each event, and how events of the model become them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from shared.model.fields import UserId
from shared.model.rooms import Room
from shared.model.timeline import Message
from shared.protocol.limits import MAX_USER_ID_DIGITS

_MILLISECONDS: Final = tuple(f".{number:03d}Z" for number in range(1000))


def iso(milliseconds: int) -> str:
    """ISO 8601 in UTC with milliseconds, as JavaScript writes it."""
    return _iso_second(milliseconds // 1000) + _MILLISECONDS[milliseconds % 1000]


@lru_cache(maxsize=1024)
def _iso_second(seconds: int) -> str:
    """What all messages of a second have in common."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def user_out(user: str) -> UserId:
    """A user id as clients wrote it: a decimal integer is one again."""
    if (
        user.isascii()
        and user.isdecimal()
        and len(user) <= MAX_USER_ID_DIGITS
        and str(int(user)) == user
    ):
        return int(user)
    return user


class Payload(msgspec.Struct, frozen=True, rename="camel"):
    """A payload; its fields go out in this order, in camel case."""


class WelcomePayload(Payload, frozen=True):
    """`welcome`, for clients that connect with `?welcome=1`: where they are, what is allowed.

    Attributes:
        sid: the connection's name; unique in the cluster.
        gateway: the name of the gateway.
        max_content: characters of a message.
        user: its name, where that is known already.
    """

    sid: str
    gateway: str
    max_content: int
    user: str | UnsetType = UNSET


class AuthenticatedPayload(Payload, frozen=True):
    """The reply to `authenticate`.

    Attributes:
        user: whom the token names.
        expires_in: seconds that the connection lasts without a fresh one.
    """

    user: str
    expires_in: float


class MessagePayload(Payload, frozen=True, omit_defaults=True):
    """`message`, and an item of history. A deleted one keeps its place and says nothing."""

    id: int
    seq: int
    prev: int
    room: str
    content: str | UnsetType = UNSET
    sender: str | UnsetType = UNSET
    created_at: str | UnsetType = UNSET
    deleted: bool = False


class NotificationPayload(Payload, frozen=True):
    """`notification`; `created_at` is in milliseconds, as the seed's clients expect."""

    content: str
    created_at: int


class RoomCreatedPayload(Payload, frozen=True):
    """`roomCreated`, and the reply to `createRoom`."""

    id: int
    name: str
    protected: bool
    created_at: str


class RoomPayload(Payload, frozen=True):
    """An item of `rooms`."""

    name: str
    protected: bool


class AcceptedPayload(Payload, frozen=True, omit_defaults=True):
    """The reply to a send; `chat_id` for one to a direct chat."""

    id: int
    seq: int
    created_at: str
    chat_id: int | UnsetType = UNSET


class SeenPayload(Payload, frozen=True):
    """`seen`: a user has seen everything up to `seq`."""

    user: UserId
    seq: int


class MessageSeenPayload(Payload, frozen=True):
    """`messageSeen`."""

    message_id: int
    seen: bool


class NewMessagePayload(Payload, frozen=True, omit_defaults=True):
    """`newMessage`, and an item of a chat's history; a deleted one says nothing."""

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


class ChatPayload(Payload, frozen=True):
    """`newChat`, the reply to `createChat`, and what REST gives."""

    id: int
    user1_id: UserId
    user2_id: UserId
    created_at: str


class ListedChatPayload(Payload, frozen=True):
    """An item of `chatsList`."""

    id: int
    user1_id: UserId
    user2_id: UserId
    created_at: str
    unread: int
    last_message: NewMessagePayload | None


class ChatDeletedPayload(Payload, frozen=True):
    """`chatDeleted`."""

    id: int


class Ticket(Payload, frozen=True):
    """A ticket: what `/ws?ticket=` takes, once, and the seconds that it is good for."""

    ticket: str
    expires_in: int


class JoinedPayload(Payload, frozen=True, omit_defaults=True):
    """The reply to `joinRoom`; `grant` for a protected room, `role` for who looks after it."""

    room: str
    head: int
    epoch: int
    grant: str | UnsetType = UNSET
    role: Literal["moderator", "owner"] | UnsetType = UNSET


class ResumedPlace(Payload, frozen=True):
    """How resuming a room or chat went."""

    recovered: bool
    head: int


class ResumedPayload(Payload, frozen=True):
    """The reply to `resume`."""

    rooms: dict[str, ResumedPlace]
    chats: dict[str, ResumedPlace]


class LaggedPayload(Payload, frozen=True):
    """`lagged`: what came after `from` was not sent."""

    room: str
    from_: int = msgspec.field(name="from")


class ResumeRequiredPayload(Payload, frozen=True):
    """`resume_required`: the broker's data began a new life; go on from what one has."""

    rooms: list[str]
    chats: list[int]


class HistoryPayload(Payload, frozen=True):
    """The reply to `history`."""

    items: Sequence[MessagePayload | NewMessagePayload]
    head: int
    partial: bool


def message_payload(message: Message, room: str) -> MessagePayload:
    """A message of the room named `room`."""
    if message.deleted:
        return MessagePayload(
            message.id,
            message.seq,
            message.prev,
            room,
            created_at=iso(message.created_at),
            deleted=True,
        )
    return MessagePayload(
        message.id,
        message.seq,
        message.prev,
        room,
        message.content,
        message.sender,
        iso(message.created_at),
    )


def room_created_payload(room: Room) -> RoomCreatedPayload:
    """A room that was just made."""
    return RoomCreatedPayload(room.id, room.name, room.protected, iso(room.created_at))


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
