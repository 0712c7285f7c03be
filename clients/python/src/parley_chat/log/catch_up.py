"""Catching up with a room or a chat: missed events are read from its history."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from parley_chat.connection.wire import Data
from parley_chat.constants import DEFAULT_PAGE_ITEMS
from parley_chat.errors import ChatError
from parley_chat.events.answers import ChatHistoryPage, HistoryPage, read_page
from parley_chat.events.kinds import MessageDeleted
from parley_chat.events.location import LocatedEvent
from parley_chat.log.context import LogContext, ask_until_answered
from parley_chat.log.room_log import AnyMessage, RoomLog

MAX_STALE_READS: Final = 3
"""Reads of a history that lacks an event seen live, before that event is delivered anyway."""


class Place:
    """A room or a chat.

    Attributes:
        room: Name of the room; None for a chat.
        chat_id: Id of the chat; None for a room.
        log: The events delivered so far.
        subscribed: Whether the present connection is subscribed to it.
        catching_up: Whether missed events are being read.
    """

    def __init__(self, *, room: str | None = None, chat_id: int | None = None) -> None:
        self.room = room
        self.chat_id = chat_id
        self.log = RoomLog(room)
        self.subscribed = False
        self.catching_up = False

    @property
    def address(self) -> dict[str, Data]:
        """Fields that name it in requests."""
        return {"chatId": self.chat_id} if self.room is None else {"room": self.room}


P = TypeVar("P", bound=Place)


class CatchUp(Generic[P]):
    """Reads missed events of rooms or chats, and delivers them."""

    def __init__(self, line: LogContext, lose: Callable[[P, ChatError], None]) -> None:
        """Make it; `lose` is called with a place whose history the server refuses."""
        self._context = line
        self._lose = lose

    def is_next(self, place: P, entry: LocatedEvent) -> bool:
        """Take a live event of a place; return whether to deliver it now.

        If events before it are missing, it waits until they have been read.
        """
        if place.log.live(entry):
            return True
        self.heal(place)
        return False

    def heal(self, place: P) -> None:
        """Catch up in the background if an event waits for missing ones."""
        if place.subscribed and place.log.behind and not place.catching_up:
            self._context.spawn(self.catch_up(place))

    async def catch_up(self, place: P) -> int:
        """Deliver the history after the last event delivered, then the waiting events.

        Repeats until no event waits for a missing one.

        Returns:
            Number of messages of the history that were delivered.
        """
        if place.catching_up:
            return 0
        place.catching_up, count, stuck = True, 0, 0
        log = place.log
        try:
            while not log.settled:
                before = log.last
                count += await self._read_on(place)
                await self._context.space()
                self._context.show(log.release(force=stuck >= MAX_STALE_READS))
                stuck = stuck + 1 if log.last == before else 0
                await asyncio.sleep(0.1 * stuck)
        except ChatError as error:
            self._lose(place, error)
        finally:
            place.catching_up = False
        return count

    async def _read_on(self, place: P) -> int:
        """Deliver the history from the last event delivered up to the head."""
        count = 0
        after = place.log.last or 0
        while True:
            page = await ask_until_answered(lambda: self._page(place, after=after))  # noqa: B023 - awaited at once
            upto = page.head if page.next is None else None
            gap = place.log.has_gap(page.items, upto)
            cleared = gap and await self._look_back(place)
            await self._context.space()
            shown = place.log.merge(page.items, upto, cleared=cleared)
            self._context.show(shown)
            count += sum(isinstance(event, AnyMessage) for event in shown)
            if page.next is None:
                return count
            after = page.next

    async def _look_back(self, place: P) -> bool:
        """Look for missed deletions of messages seen before, and deliver those of single ones.

        Returns:
            Whether the history has no message up to the last one seen: all were deleted.
        """
        if not place.log.last or not place.log.known:
            return False  # no message was seen that could be deleted
        # As many messages as are remembered.
        known = place.log.known
        before, limit = place.log.last + 1, max(len(known), 1)
        page = await ask_until_answered(lambda: self._page(place, before=before, limit=limit))
        await self._context.space()
        self._show_gone(place, place.log.newly_deleted(page.items))
        # The history leaves a long row of deleted messages out.
        absent = place.log.newly_absent(page.items, known, is_first_page=page.next is None)
        self._show_gone(place, absent)
        return not page.items and page.next is None

    async def find_lost(self, place: P) -> None:
        """Look for messages that were seen and that the server lost; deliver them as deleted."""
        known = place.log.known
        if not known:
            return
        try:
            page = await ask_until_answered(lambda: self._page(place, limit=len(known)))
        except ChatError as error:
            self._lose(place, error)
            return
        await self._context.space()
        self._show_gone(place, place.log.newly_lost(page.items, known))

    def _show_gone(self, place: P, messages: Sequence[int]) -> None:
        self._context.show(
            [
                MessageDeleted(message_id=message_id, room=place.room, chat_id=place.chat_id)
                for message_id in messages
            ]
        )

    async def _page(self, place: P, **limits: int) -> HistoryPage | ChatHistoryPage:
        asked = {**place.address, "limit": DEFAULT_PAGE_ITEMS, **limits}
        answer = await self._context.ask("history", asked, idempotent=False)
        after, limit = limits.get("after"), limits.get("limit", DEFAULT_PAGE_ITEMS)
        page = read_page(answer.data, chat=place.room is None, after=after, limit=limit)
        if page.partial:
            raise ChatError("broker_unavailable", "a part of the history is not available")
        return page
