"""The list of a user's direct chats, from SQL and from the tails of logs in the broker."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial as bind
from typing import Final

import msgspec
from msgspec.structs import replace

from gateway.rooms.store.epoch_check import EpochCheck
from gateway.rooms.store.gone import ranges
from shared.broker.partitions.fence import Fence
from shared.broker.rooms.answers import HeldRoom, NotHeld, Tail
from shared.broker.rooms.logs import LogBroker
from shared.broker.rooms.rooms import RoomBroker
from shared.errors import broker_unavailable
from shared.model.ids import TOP, users_of_chat
from shared.model.log_events import MessagePosted
from shared.model.rooms import Room
from shared.model.timeline import Changes, Message, message_of
from shared.storage.chats import ChatReader, StoredChat

MAX_USERS_PER_LOOKUP: Final = 100
"""Users whose chats are looked up in one call."""

MAX_CHATS_READ: Final = 100
"""Chats whose tails, or contents of last messages, are read at a time."""

MAX_KEPT_CHARACTERS: Final = 500_000
"""Characters of last messages of tails that a list keeps. Others are read again for their page."""


class ListedChat(msgspec.Struct, frozen=True):
    """A chat as one of its users sees it.

    Attributes:
        unread: number of the other user's messages past the user's cursor.
        last_message: the newest message that is not deleted; None for none. Its content may be
            empty: `ChatList.with_contents` reads it.
    """

    room: Room
    unread: int
    last_message: Message | None

    @property
    def active_at(self) -> int:
        """Time of the last message, or of the chat's creation; milliseconds since 1970."""
        return self.last_message.created_at if self.last_message else self.room.created_at


class ChatList:
    """Lists chats: reads the broker first, then SQL."""

    # The order matters. Example: message 9 is in the log's tail only. SQL is read first, up to 8;
    # then the persister stores 9 and the broker trims it; then the tail is read and is empty.
    # Message 9 would be in neither. Read the other way round, 9 is in the tail or in SQL or in
    # both, and the tail says which seqs SQL is not to count again (`below`).

    def __init__(
        self,
        broker: RoomBroker,
        logs: LogBroker,
        reader: ChatReader,
        check: EpochCheck,
        fence: Fence,
    ) -> None:
        self._broker = broker
        self._logs = logs
        self._reader = reader
        self._check = check
        self._fence = fence

    async def list_chats(self, user: str) -> list[ListedChat]:
        """Return all chats of a user, the most recently active one first.

        Raises:
            ChatError: `broker_unavailable`, `storage_unavailable`.
        """
        if not all(self._fence.epochs):
            await self._check.confirm()  # without known epochs a later one cannot be noticed
        epochs = self._fence.epochs
        keys = await self._broker.held_chats(user)
        held = await self._find_with_tails(keys, user)
        await self._check.confirm()
        if self._fence.has_newer_epoch_than(epochs):
            raise broker_unavailable()  # the server that answered was left behind by a failover
        stored = {chat.room.key: chat for chat in await self._reader.chats(user)}
        listed = {key: _as_stored(chat) for key, chat in stored.items()}
        for key, (found, tail) in zip(keys, held, strict=True):
            if isinstance(found, HeldRoom) and tail is not None:
                listed[key] = await self._with_tail(user, found.room, tail, stored.get(key))
            elif isinstance(found, NotHeld) and found.deleted:
                listed.pop(key, None)
        return _in_order(listed.values())

    async def with_contents(
        self, chats: Sequence[ListedChat], *, stored_only: bool
    ) -> list[ListedChat]:
        """Read the contents of the last messages of some chats, where they are not read yet.

        A list has all chats of a user, and a page of it a few where their messages are long.

        Args:
            chats: at most `MAX_CHATS_READ`.
            stored_only: True to do without the broker.

        Raises:
            ChatError: `broker_unavailable`, `storage_unavailable`.
        """
        wanted = {
            chat.last_message.id
            for chat in chats
            if chat.last_message and not chat.last_message.content
        }
        found = await self._reader.contents(wanted) if wanted else {}
        if (unstored := wanted - found.keys()) and not stored_only:
            found |= await self._unstored_contents(unstored)
            if stored_since := wanted - found.keys():
                found |= await self._reader.contents(stored_since)
        return [_with_content(chat, found) for chat in chats]

    async def list_stored(self, user: str) -> list[ListedChat]:
        """Do the same as `list_chats` with what SQL has, for reads without the broker.

        Raises:
            ChatError: `storage_unavailable`.
        """
        return _in_order(_as_stored(chat) for chat in await self._reader.chats(user))

    async def held(self, user: str) -> list[HeldRoom]:
        """Return the chats of a user that the broker holds.

        Raises:
            ChatError: `broker_unavailable`.
        """
        keys = await self._broker.held_chats(user)
        found = await self._broker.find_all(keys)
        return [each for each in found.values() if isinstance(each, HeldRoom)]

    async def partners(self, users: Collection[str]) -> dict[str, set[str]]:
        """Return, by user, all users with whom each of these users has a direct chat.

        Raises:
            ChatError: `broker_unavailable`, `storage_unavailable`.
        """
        found: dict[str, set[str]] = {user: set() for user in users}
        names = list(found)
        for start in range(0, len(names), MAX_USERS_PER_LOOKUP):
            batch = names[start : start + MAX_USERS_PER_LOOKUP]
            pairs = [users_of_chat(key) for key in await self._broker.held_chats(*batch)]
            for user1, user2 in pairs + await self._reader.pairs(batch):
                if user1 in found:
                    found[user1].add(user2)
                if user2 in found:
                    found[user2].add(user1)
        return found

    async def _unstored_contents(self, message_ids: Iterable[int]) -> dict[int, str]:
        """Read the contents of messages that SQL does not have, by id."""
        events = await asyncio.gather(*(self._broker.event(each) for each in message_ids))
        return {
            event.id: event.body.content
            for _, event in filter(None, events)
            if isinstance(event.body, MessagePosted)
        }

    async def _find_with_tails(
        self, keys: Sequence[str], user: str
    ) -> list[tuple[HeldRoom | NotHeld, Tail | None]]:
        """Read chats with their tails, some at a time; keep the content of few last messages."""
        held: list[tuple[HeldRoom | NotHeld, Tail | None]] = []
        kept = 0
        for start in range(0, len(keys), MAX_CHATS_READ):
            some = keys[start : start + MAX_CHATS_READ]
            found = await asyncio.gather(*(self._find_with_tail(key, user) for key in some))
            for room, tail in found:
                if tail and tail.last and isinstance(body := tail.last.body, MessagePosted):
                    kept += len(body.content)
                    if kept > MAX_KEPT_CHARACTERS:
                        last = replace(tail.last, body=replace(body, content=""))
                        tail = replace(tail, last=last)  # noqa: PLW2901 - without its content
                held.append((room, tail))
        return held

    async def _find_with_tail(self, key: str, user: str) -> tuple[HeldRoom | NotHeld, Tail | None]:
        """Read a chat that was held a moment ago, with the tail of its log."""
        return await asyncio.gather(self._broker.find(key), self._logs.read_tail(key, user))

    async def _with_tail(
        self, user: str, room: Room, tail: Tail, stored: StoredChat | None
    ) -> ListedChat:
        if stored and stored.room.id != room.id:
            stored = None  # it is of an earlier chat of the two users, which was deleted
        cursor = tail.cursor if tail.cursor is not None else stored.cursor if stored else 0
        changes = Changes(moves=tail.moves)
        if stored and tail.below == TOP and cursor == stored.cursor:
            # The tail is empty, so SQL had every event when it was read. Only moves of cursors may
            # be missing, and the tail contains these.
            seen = stored.last_message and changes.apply(stored.last_message)
            return ListedChat(stored.room, stored.unread, seen)
        unread = sum(seq > cursor for seq in tail.unread)
        last = message_of(tail.last) if tail.last else None
        read_to = max(cursor, tail.floor)
        read_gone = bind(self._logs.read_gone, room)
        known = tail.gone_below
        async for each in ranges("backward", tail.floor, tail.below, known, read_gone):
            after = max(each.after, read_to)
            if after + 1 < each.below:
                unread += await self._reader.unread(room.id, user, after, each.below, each.gone)
            if last is None:
                last = await self._reader.last_message(room.id, each.after, each.below, each.gone)
            if last and each.after <= read_to:
                break
        return ListedChat(room, unread, last and changes.apply(last))


def _in_order(chats: Iterable[ListedChat]) -> list[ListedChat]:
    return sorted(chats, key=lambda chat: (-chat.active_at, -chat.room.id))


def _with_content(chat: ListedChat, found: Mapping[int, str]) -> ListedChat:
    """Return a chat with the content of its last message; without it where it was deleted since."""
    last = chat.last_message
    if last is None or last.content:
        return chat
    content = found.get(last.id)
    return replace(chat, last_message=replace(last, content=content) if content else None)


def _as_stored(chat: StoredChat) -> ListedChat:
    return ListedChat(chat.room, chat.unread, chat.last_message)
