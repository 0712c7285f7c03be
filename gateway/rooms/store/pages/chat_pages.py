"""Pages of the list of a user's direct chats, which stay in order while chats move."""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, Self

import msgspec

from gateway.rooms.store.chat_list import MAX_CHATS_READ, ChatList, ListedChat
from gateway.rooms.store.pages.history import History
from shared.errors import ChatError

MAX_MOVED_CHATS: Final = 10
"""Chats with messages since the first page whose earlier place is looked up, for one page. Each is
a read of history, and a client may name any time as that of its first page."""

MAX_MESSAGES_SINCE: Final = 100
"""Messages since the first page that are looked behind, in each of them."""


WriteChat = Callable[[ListedChat], msgspec.Raw | None]
"""Encodes a chat for a page; None if its bytes are full."""


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
        chats: the chats, each as the client gets it.
        next: what to ask for the following page with; None if no chats follow.
        partial: True if the broker was away, so that chats and messages may be missing.
    """

    chats: list[Any]
    next: str | None
    partial: bool = False


class ChatPages:
    """Reads pages of the list of a user's chats."""

    # A chat goes to the top of the list with each message. Were the list read as it is by then, a
    # chat of page 2 that gets a message while its user reads page 1 would be on no page. So later
    # pages show the list in the order that it had at the first one, with the chats as they are now.

    def __init__(self, chats: ChatList, history: History, max_chats: int) -> None:
        """Prepare.

        Args:
            chats: reads the whole list.
            history: finds the earlier places of chats that moved.
            max_chats: chats of a page, at most.
        """
        self._chats = chats
        self._history = history
        self._max_chats = max_chats

    async def page(
        self, user: str, limit: int, before: str | int | None, write: WriteChat
    ) -> ChatPage:
        """Read a page.

        A chat that got more messages since the first page than are looked behind, or that is new,
        comes at the end of the list. It may have been in it before. No chat is left out, unless one
        of the first `MAX_MOVED_CHATS` that moved is deleted meanwhile.

        Args:
            user: whose chats they are.
            limit: number of chats at most.
            before: `next` of the page before, or the id of a chat for those after it in the list;
                None for the first page.
            write: encodes each chat; the page ends where it returns None.

        Raises:
            ChatError: `broker_unavailable`, `storage_unavailable`; `not_found` if the chat that
                `before` names is not in the list.
        """
        listed = await self._chats.list_chats(user)
        placed = await self._from(listed, before, MAX_MOVED_CHATS)
        return await self._written(placed, limit, write)

    async def stored_page(
        self, user: str, limit: int, before: str | int | None, write: WriteChat
    ) -> ChatPage:
        """Do the same as `page` with what SQL has, for reads without the broker.

        Raises:
            ChatError: `storage_unavailable`; `not_found` as `page` does.
        """
        listed = await self._chats.list_stored(user)
        # No look-ups of earlier places: each would wait for the broker.
        placed = await self._from(listed, before, 0)
        return await self._written(placed, limit, write, stored_only=True)

    async def unread(self, user: str, write: WriteChat) -> ChatPage:
        """Read the chats with unread messages, as many as fit on a page."""
        placed = _as_listed(await self._chats.list_chats(user))
        unread = [(place, chat) for place, chat in placed if chat.unread]
        return await self._written(unread, self._max_chats, write)

    async def _from(
        self, listed: Sequence[ListedChat], before: str | int | None, lookups: int
    ) -> list[tuple[Place, ListedChat]]:
        """Return the chats of a page and of those after it."""
        if before is None:
            return _as_listed(listed)
        if isinstance(before, str) and not before.isdecimal():
            last = Place.read(before)
            placed = await self._placed(listed, last.as_of, lookups)
            return [each for each in placed if last.is_before(each[0])]
        placed = _as_listed(listed)
        for at, (_, chat) in enumerate(placed, 1):
            if chat.room.id == int(before):
                return placed[at:]
        raise ChatError("not_found", f"Chat with ID {before} not found")

    async def _written(
        self,
        placed: Sequence[tuple[Place, ListedChat]],
        limit: int,
        write: WriteChat,
        *,
        stored_only: bool = False,
    ) -> ChatPage:
        """Write the first chats, some at a time, as many as fit on a page."""
        size, written, is_full = min(limit, self._max_chats), list[Any](), False
        while not is_full and len(written) < min(size, len(placed)):
            some = placed[len(written) : min(size, len(written) + MAX_CHATS_READ)]
            chats = await self._chats.with_contents(
                [chat for _, chat in some], stored_only=stored_only
            )
            for chat in chats:
                item = write(chat)
                if is_full := item is None:
                    break
                written.append(item)
        follow = 0 < len(written) < len(placed)
        following = str(placed[len(written) - 1][0]) if follow else None
        return ChatPage(written, following, partial=stored_only)

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


def _as_listed(listed: Sequence[ListedChat]) -> list[tuple[Place, ListedChat]]:
    """Return chats in their order, each with its place in a list that begins now."""
    as_of = max((chat.active_at for chat in listed), default=0)
    return [(Place(chat.active_at, chat.room.id, as_of), chat) for chat in listed]
