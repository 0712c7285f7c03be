"""Typed answers of the server to requests."""

from datetime import datetime
from typing import Final

import msgspec

from parley_chat.connection.wire import Data
from parley_chat.constants import MAX_CONTENT_CHARACTERS
from parley_chat.events.kinds import Message, NewMessage, UserId

MAX_PAGE_CHARACTERS: Final = 1_000_000
"""Characters of the messages of a page of a server of version 0.1."""


class SentMessage(msgspec.Struct, frozen=True, rename="camel"):
    """A message that the server accepted, and does not lose any more.

    Attributes:
        id: Number of the message in the whole cluster.
        seq: Number of the message in its room or chat.
        chat_id: The chat, of a direct message.
    """

    id: int
    seq: int
    created_at: datetime
    chat_id: int | None = None


class RoomInfo(msgspec.Struct, frozen=True, rename="camel"):
    """A room of the list; a `protected` one takes a password to join."""

    name: str
    protected: bool


class HistoryPage(msgspec.Struct, frozen=True, rename="camel"):
    """Messages of a room, oldest first.

    Attributes:
        items: Deleted ones may be among them; they are not counted.
        head: The last `seq` of the room.
        partial: Whether messages may be missing, because a part of the server is not available.
        next: What to ask for the following page with, as `before` or `after`; None if there is
            nothing more.
    """

    items: list[Message]
    head: int
    partial: bool = False
    next: int | None = None


class ChatHistoryPage(msgspec.Struct, frozen=True, rename="camel"):
    """Messages of a direct chat, oldest first; see `HistoryPage`."""

    items: list[NewMessage]
    head: int
    partial: bool = False
    next: int | None = None


def read_page(
    data: Data, *, chat: bool, after: int | None, limit: int
) -> HistoryPage | ChatHistoryPage:
    """Type a page of history.

    Args:
        data: The server's reply.
        chat: Whether it is a page of a direct chat.
        after: What the page was asked for with; None for a page that is read backward.
        limit: Number of messages that was asked for.
    """
    page: HistoryPage | ChatHistoryPage
    page = msgspec.convert(data, ChatHistoryPage) if chat else msgspec.convert(data, HistoryPage)
    if "next" in data:
        return page
    return msgspec.structs.replace(page, next=_next_by_items(page, after, limit))


def _next_by_items(
    page: HistoryPage | ChatHistoryPage, after: int | None, limit: int
) -> int | None:
    """Return `next` of a page from a server of version 0.1, which does not send it.

    Such a page counts deleted messages. It ends after `limit` messages, or before one with which it
    would have more than `MAX_PAGE_CHARACTERS`. Example: 90 messages of 16,000 characters were
    missed. The page has 62 of them; without the second bound, the other 28 would be taken for read.
    """
    items = page.items
    if after is None:
        return items[0].seq if items and items[0].prev else None
    characters = sum(len(item.content) for item in items)
    if items and characters > MAX_PAGE_CHARACTERS - MAX_CONTENT_CHARACTERS:
        return items[-1].seq
    # Each message has a `seq` of its own, so no other is in the range of a page.
    read = max([after + limit, *(item.seq for item in items)])
    return read if read < page.head else None


class JoinedRoom(msgspec.Struct, frozen=True, rename="camel"):
    """A room that was joined, with its newest messages, oldest first.

    Attributes:
        head: The last `seq` of the room.
        next: `before` for `history`, to read older messages; None if there are none.
        epoch: Epoch of the room's partition; a new one begins where messages may have been lost.
    """

    room: str
    head: int
    epoch: int = 0
    history: list[Message] = []
    next: int | None = None


class MemberResult(msgspec.Struct, frozen=True, rename="camel"):
    """Result of an action on a user of a room.

    Attributes:
        known: False if nobody of this name was ever here; the action holds all the same, should
            they come. None while the server cannot tell.
    """

    known: bool | None = None


class Act(msgspec.Struct, frozen=True, rename="camel"):
    """Something that was done in a room.

    Attributes:
        seq: Its place in the room's log; 0 for the room's creation.
        at: When it was accepted.
        action: The event that the room got, such as `banned`; `roomCreated` for the creation.
        by: The user who did it; None where the room's creator is nobody.
        user: The user to whom it was done, or who had sent the deleted message.
        moderator: Whether the user is a moderator from here on; None for other acts.
        protected: Whether the room has a password from here on; None for other acts.
        message_id: The deleted message.
    """

    seq: int
    at: datetime
    action: str
    by: UserId | None = None
    user: UserId | None = None
    moderator: bool | None = None
    protected: bool | None = None
    message_id: int | None = None


class ActPage(msgspec.Struct, frozen=True, rename="camel"):
    """A part of the list of what was done in a room, the newest first.

    Attributes:
        items: What was done.
        next: `before` of the following part; None if there is nothing more.
        partial: Whether some may be missing, as the database of the server is away.
    """

    items: list[Act]
    next: int | None = None
    partial: bool = False


class UserPage(msgspec.Struct, frozen=True, rename="camel"):
    """A part of a list of users; `more` says that others follow the last of them."""

    users: list[UserId]
    more: bool = False
