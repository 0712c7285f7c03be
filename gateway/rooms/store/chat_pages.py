"""Pages of the list of a user's direct chats, which stay in order while chats move."""

from collections.abc import Sequence
from typing import Final, NamedTuple, Self

import msgspec

from gateway.rooms.store.chat_list import ChatList, ListedChat
from gateway.rooms.store.history import History
from shared.protocol.limits import MAX_PAGE_CHARACTERS, MAX_PAGE_ITEMS

MAX_MOVED_CHATS: Final = 100
"""Chats with messages since the first page whose earlier place is looked up, for one page."""

MAX_MESSAGES_SINCE: Final = 100
"""Messages since the first page that are looked behind, in each of them."""


class Place(NamedTuple):
    """The place of a chat in the list, from which the following page goes on.

    Attributes:
        active_at: time of the chat's last message as of the first page; 0 if that is not known.
        chat_id: id of the chat.
        as_of: time of the newest message that the first page knew of.
    """

    active_at: int
    chat_id: int
    as_of: int

    def __str__(self) -> str:
        return f"{self.active_at}.{self.chat_id}.{self.as_of}"

    @classmethod
    def read(cls, text: str) -> Self:
        """Read the text of a place, which the command's type (`ChatPlace`) has checked."""
        return cls(*map(int, text.split(".")))

    def is_before(self, other: "Place") -> bool:
        """Return True if the list has this place before another one: newer ones come first."""
        return self[:2] > other[:2]


class ChatPage(msgspec.Struct, frozen=True):
    """A page of the list of a user's chats, the one with the latest message first.

    Attributes:
        next: what to ask for the following page with; None if no chats follow.
        partial: True if the broker was away, so that chats and messages may be missing.
    """

    chats: Sequence[ListedChat]
    next: str | None
    partial: bool = False


class ChatPages:
    """Reads pages of the list of a user's chats."""

    # A chat goes to the top of the list with each message. Were the list read as it is by then, a
    # chat of page 2 that gets a message while its user reads page 1 would be on no page. So later
    # pages show the list in the order that it had at the first one, with the chats as they are now.

    def __init__(self, chats: ChatList, history: History) -> None:
        self._chats = chats
        self._history = history

    async def page(self, user: str, limit: int, before: str | None = None) -> ChatPage:
        """Read a page.

        A chat that got more messages since the first page than are looked behind, or that is new,
        comes at the end of the list. It may have been in it before. No chat is ever left out.

        Args:
            user: whose chats they are.
            limit: number of chats at most.
            before: `next` of the page before; None for the first page.

        Raises:
            ChatError: `broker_unavailable`, `storage_unavailable`.
        """
        listed = await self._chats.list_chats(user)
        return await self._page(listed, limit, before, MAX_MOVED_CHATS)

    async def stored_page(self, user: str, limit: int, before: str | None = None) -> ChatPage:
        """Do the same as `page` with what SQL has, for reads without the broker.

        Raises:
            ChatError: `storage_unavailable`.
        """
        listed = await self._chats.list_stored(user)
        # No look-ups of earlier places: each would wait for the broker.
        page = await self._page(listed, limit, before, 0)
        return ChatPage(page.chats, page.next, partial=True)

    async def unread(self, user: str) -> Sequence[ListedChat]:
        """Return the chats with unread messages, as many as fit on a page."""
        listed = [chat for chat in await self._chats.list_chats(user) if chat.unread]
        places = [Place(chat.active_at, chat.room.id, 0) for chat in listed]
        return _cut(list(zip(places, listed, strict=True)), MAX_PAGE_ITEMS).chats

    async def _page(
        self, listed: Sequence[ListedChat], limit: int, before: str | None, lookups: int
    ) -> ChatPage:
        if before is None:
            as_of = max((chat.active_at for chat in listed), default=0)
            places = [Place(chat.active_at, chat.room.id, as_of) for chat in listed]
            return _cut(list(zip(places, listed, strict=True)), limit)
        last = Place.read(before)
        placed = await self._placed(listed, last.as_of, lookups)
        return _cut([each for each in placed if last.is_before(each[0])], limit)

    async def _placed(
        self, listed: Sequence[ListedChat], as_of: int, lookups: int
    ) -> list[tuple[Place, ListedChat]]:
        """Return the chats in the order that they had when the first page was read."""
        moved = [chat for chat in listed if chat.active_at > as_of]
        # Always the same ones, so that a chat without a known place does not get one later: that
        # may be on a page that was read already.
        moved.sort(key=lambda chat: chat.room.id)
        times = {chat.room.id: 0 for chat in moved}
        for chat in moved[:lookups]:
            times[chat.room.id] = await self._active_at(chat, as_of)
        placed = [
            (Place(times.get(chat.room.id, chat.active_at), chat.room.id, as_of), chat)
            for chat in listed
        ]
        return sorted(placed, key=lambda each: each[0], reverse=True)

    async def _active_at(self, chat: ListedChat, as_of: int) -> int:
        """Return when a chat that has moved since was active before; 0 if that is not known."""
        if chat.last_message is None:
            return 0
        page = await self._history.newest(chat.room, MAX_MESSAGES_SINCE, chat.last_message.seq)
        shown = [message.created_at for message in page.items if not message.deleted]
        if earlier := [at for at in shown if at <= as_of]:
            return max(earlier)
        is_whole = page.next is None
        return chat.room.created_at if is_whole and chat.room.created_at <= as_of else 0


def _cut(placed: Sequence[tuple[Place, ListedChat]], limit: int) -> ChatPage:
    """Make a page of the first chats of a list: fewer than `limit` if their messages are long."""
    left, size = MAX_PAGE_CHARACTERS, 0
    for _, chat in placed[:limit]:
        left -= len(chat.last_message.content) if chat.last_message else 0
        if left < 0 and size:
            break
        size += 1
    chats = [chat for _, chat in placed[:size]]
    return ChatPage(chats, str(placed[size - 1][0]) if 0 < size < len(placed) else None)
