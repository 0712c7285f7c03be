"""Commands about direct chats."""

from typing import Annotated, ClassVar

from msgspec import UNSET, Meta, UnsetType

from shared.model.commands.base import Command, UserCommand
from shared.model.fields import (
    ChatPlace,
    ClientMsgId,
    EventId,
    Limit,
    Seq,
    UserId,
    check_text,
)
from shared.protocol.limits import DEFAULT_PAGE_ITEMS, MAX_PAGE_ITEMS


class ListChats(UserCommand, frozen=True, kw_only=True):
    """List the user's direct chats, the one with the latest message first.

    Attributes:
        before: `next` of the page before, which its `Link` has. The pages have the order that the
            list had at the first one, whatever messages come meanwhile. Or the id of a chat, for
            those after it in the list.
        limit: number of chats at most, up to the server's `CHATS_LIMIT`; fewer come where their
            last messages are long.
    """

    before: ChatPlace | EventId | None = None
    limit: Limit = MAX_PAGE_ITEMS


class GetChats(ListChats, frozen=True, kw_only=True):
    """List the user's direct chats, the one with the latest message first.

    Attributes:
        before: `next` of the page before. The pages have the order that the list had at the first
            one, whatever messages come meanwhile. Or the id of a chat, for those after it in the
            list.
        limit: number of chats at most, up to the server's `CHATS_LIMIT`; fewer come where their
            last messages are long.
        partial: true to take, while the broker is away, the list as the database has it; the reply
            says so then. It may lack the newest chats: do not forget those that you know.
    """

    partial: bool = False


class ByChat(Command, frozen=True, kw_only=True):
    """Direct chat that a REST request is about.

    Attributes:
        chat_id: id of the chat.
    """

    chat_id: EventId


class CreateChat(Command, frozen=True, kw_only=True):
    """Create the direct chat of two users, or find the one they have.

    Attributes:
        user1_id: one of the two users.
        user2_id: the other user; or the same one, for a chat in which users keep notes.
    """

    user1_id: UserId
    user2_id: UserId

    def __post_init__(self) -> None:
        _check_pair(self.user1_id, self.user2_id)


class SendChatMessage(Command, frozen=True, kw_only=True):
    """Send a message to another user. Their direct chat is created if they have none.

    Attributes:
        sender_id: the user who sends it: the connection's own.
        receiver_id: the user who gets it; the sender, for a note that users write to themselves.
        content: text of the message; the server's `maxContent` limits its characters and bytes.
        chat_id: id of their chat, to be refused with `not_found` if it is no longer that.
        client_msg_id: name of this send, chosen by the client and new for each message. A send
            repeated with the same one is stored once.
        resend: set to true when the send is repeated after its connection was lost: the server
            then looks for it in the database too.
    """

    sender_id: UserId
    receiver_id: UserId
    content: Annotated[str, Meta(min_length=1)]
    chat_id: EventId | None = None
    client_msg_id: ClientMsgId | None = None
    resend: bool = False

    def __post_init__(self) -> None:
        _check_pair(self.sender_id, self.receiver_id)
        check_text(self.content)
        check_text(self.client_msg_id or "")


class GetMessages(Command, frozen=True, kw_only=True):
    """Read a page of a direct chat's messages: the newest, or those before a `seq`.

    Attributes:
        chat_id: id of the chat.
        before: only messages with a smaller `seq`.
        limit: number of messages at most.
    """

    bare: ClassVar[str | None] = "chat_id"
    chat_id: EventId
    before: Seq | UnsetType = UNSET
    limit: Limit = DEFAULT_PAGE_ITEMS


class MarkAsSeen(Command, frozen=True, kw_only=True):
    """Mark a received message of a direct chat, and all before it, as seen.

    Attributes:
        message_id: id of the message.
    """

    bare: ClassVar[str | None] = "message_id"
    message_id: EventId


class DeleteMessage(Command, frozen=True, kw_only=True):
    """Delete a message of a room or a direct chat.

    Attributes:
        message_id: id of the message.
    """

    bare: ClassVar[str | None] = "message_id"
    message_id: EventId


def _check_pair(one: UserId, other: UserId) -> None:
    for user in (one, other):
        check_text(str(user))
