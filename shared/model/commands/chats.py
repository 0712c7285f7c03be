"""Commands about direct chats."""

from typing import Annotated, ClassVar

from msgspec import UNSET, Meta, UnsetType

from shared.model.commands.base import Command, UserCommand
from shared.model.fields import ClientMsgId, EventId, Limit, Seq, UserId, check_name, check_text
from shared.protocol.limits import DEFAULT_PAGE_ITEMS


class GetChats(UserCommand, frozen=True, kw_only=True):
    """List a user's direct chats."""


class ByChat(Command, frozen=True, kw_only=True):
    """Look at a direct chat, or delete it (REST)."""

    chat_id: EventId


class CreateChat(Command, frozen=True, kw_only=True):
    """Make the direct chat of two users, or find it."""

    user1_id: UserId
    user2_id: UserId

    def __post_init__(self) -> None:
        _check_pair(self.user1_id, self.user2_id)


class SendChatMessage(Command, frozen=True, kw_only=True):
    """Say something to another user; the chat is made if there is none."""

    sender_id: UserId
    receiver_id: UserId
    content: Annotated[str, Meta(min_length=1)]
    chat_id: EventId | None = None
    client_msg_id: ClientMsgId | None = None
    # It may have been accepted before, long ago: SQL is asked first.
    resend: bool = False

    def __post_init__(self) -> None:
        _check_pair(self.sender_id, self.receiver_id)
        check_text(self.content)
        check_text(self.client_msg_id or "")


class GetMessages(Command, frozen=True, kw_only=True):
    """A page of a direct chat: the newest messages, or those before a place."""

    bare: ClassVar[str | None] = "chat_id"
    chat_id: EventId
    before: Seq | UnsetType = UNSET
    limit: Limit = DEFAULT_PAGE_ITEMS


class MarkAsSeen(Command, frozen=True, kw_only=True):
    """Have seen a message, and everything before it."""

    bare: ClassVar[str | None] = "message_id"
    message_id: EventId


class DeleteMessage(Command, frozen=True, kw_only=True):
    """Delete one message of one's own."""

    bare: ClassVar[str | None] = "message_id"
    message_id: EventId


def _check_pair(one: UserId, other: UserId) -> None:
    for user in (one, other):
        check_name(str(user))
    if str(one) == str(other):
        raise ValueError("a chat has two different users")
