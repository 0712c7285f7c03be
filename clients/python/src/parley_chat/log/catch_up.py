"""Catching up with the log of a room or a chat: what was missed, from its history."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

import msgspec

from parley_chat.connection.wire import Data
from parley_chat.errors import ChatError
from parley_chat.events.answers import ChatHistoryPage, HistoryPage
from parley_chat.events.entries import Entry
from parley_chat.events.kinds import MessageDeleted
from parley_chat.log.line import Line, patiently
from parley_chat.log.room_log import RoomLog, Said

PAGE: Final = 100
"""Messages asked for at a time."""

MOST_ROUNDS: Final = 3
"""Reads of a history that stays behind an event seen live, before that is shown all the same."""


class Place:
    """A room or a chat.

    Attributes:
        room: its name, of a room.
        chat_id: its id, of a chat.
        log: what was shown of it.
        inside: its events come by this connection.
        filling: what was missed is being read.
    """

    def __init__(self, *, room: str | None = None, chat_id: int | None = None) -> None:
        self.room = room
        self.chat_id = chat_id
        self.log = RoomLog(room)
        self.inside = False
        self.filling = False

    @property
    def address(self) -> dict[str, Data]:
        """How requests name it."""
        return {"chatId": self.chat_id} if self.room is None else {"room": self.room}


P = TypeVar("P", bound=Place)


class CatchUp(Generic[P]):
    """Reads what was missed."""

    def __init__(self, line: Line, lose: Callable[[P, ChatError], None]) -> None:
        """Prepare; `lose` is told of a place whose history one may not read any more."""
        self._line = line
        self._lose = lose

    def is_next(self, place: P, entry: Entry) -> bool:
        """Take a live event of a place; return whether it is to be shown now.

        Where it is not because others before it did not come, those are caught up with.
        """
        if place.log.live(entry):
            return True
        self.heal(place)
        return False

    def heal(self, place: P) -> None:
        """Catch up in the background where an event waits for others that did not come."""
        if place.inside and place.log.behind and not place.filling:
            self._line.spawn(self.fill(place))

    async def fill(self, place: P) -> int:
        """Show what history has beyond the last event shown, then what waits, until settled.

        Returns:
            How many messages of the history were shown.
        """
        if place.filling:
            return 0
        place.filling, count, stuck = True, 0, 0
        log = place.log
        try:
            while not log.settled:
                before = log.last
                count += await self._read_on(place)
                await self._line.space()
                self._line.show(log.release(anyhow=stuck >= MOST_ROUNDS))
                stuck = stuck + 1 if log.last == before else 0
                await asyncio.sleep(0.1 * stuck)
        except ChatError as error:
            self._lose(place, error)
        finally:
            place.filling = False
        return count

    async def _read_on(self, place: P) -> int:
        """Show the history from the last event shown to the head."""
        count = 0
        after = place.log.last or 0
        while True:
            page = await patiently(lambda: self._page(place, after=after))  # noqa: B023 - awaited at once
            # Among the seqs asked for there were no others, or the page would have them.
            read = max([after + PAGE, *(item.seq for item in page.items)])
            whole = read >= page.head
            upto = page.head if whole else None
            gap = place.log.has_gap(page.items, upto)
            cleared = gap and await self._look_back(place)
            await self._line.space()
            shown = place.log.merge(page.items, upto, cleared=cleared)
            self._line.show(shown)
            count += sum(isinstance(event, Said) for event in shown)
            if whole:
                return count
            after = read

    async def _look_back(self, place: P) -> bool:
        """Look for deletions of what was seen, and show those of single messages.

        Returns:
            Whether everything seen so far was deleted: history has nothing of it.
        """
        if not place.log.last or not place.log.known:
            return False  # nothing was said there that could be gone
        # As far back as messages are remembered.
        before, limit = place.log.last + 1, max(len(place.log.known), 1)
        page = await patiently(lambda: self._page(place, before=before, limit=limit))
        await self._line.space()
        self._show_gone(place, place.log.newly_deleted(page.items))
        return not page.items

    async def find_lost(self, place: P) -> None:
        """Look for messages that were seen and that the server has lost; show them as deleted."""
        known = place.log.known
        if not known:
            return
        try:
            page = await patiently(lambda: self._page(place, limit=len(known)))
        except ChatError as error:
            self._lose(place, error)
            return
        await self._line.space()
        self._show_gone(place, place.log.newly_lost(page.items, known))

    def _show_gone(self, place: P, messages: Sequence[int]) -> None:
        self._line.show(
            [
                MessageDeleted(message_id=message_id, room=place.room, chat_id=place.chat_id)
                for message_id in messages
            ]
        )

    async def _page(self, place: P, **limits: int) -> HistoryPage | ChatHistoryPage:
        asked = {**place.address, "limit": PAGE, **limits}
        answer = await self._line.ask("history", asked, repeat=False)
        page: HistoryPage | ChatHistoryPage
        if place.room is None:
            page = msgspec.convert(answer.data, ChatHistoryPage)
        else:
            page = msgspec.convert(answer.data, HistoryPage)
        if page.partial:
            raise ChatError("broker_unavailable", "a part of the history is not available")
        return page
