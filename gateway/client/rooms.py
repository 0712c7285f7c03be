"""The rooms a client is in: entering them, and after a reconnect entering them again."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Final, Protocol, TypeVar

import msgspec

from gateway.client.events import (
    CaughtUp,
    Event,
    HistoryPage,
    Joined,
    Message,
    RoomLost,
)
from gateway.client.patience import persist
from gateway.client.requests import Answer
from gateway.client.room_log import RoomLog
from gateway.client.wire import Data
from shared.errors import ChatError, broker_unavailable

T = TypeVar("T")

PAGE: Final = 100
"""Messages asked for at a time."""

AT_ONCE: Final = 4
"""Rooms entered again at the same time: their histories share one connection."""

MOST_ROUNDS: Final = 3
"""Reads of a history that stays behind an event seen live, before that is shown all the same."""


class Line(Protocol):
    """What entering and catching up need of the connection."""

    async def ask(
        self, event: str, data: Data, *, room: str | None = None, repeat: bool = False
    ) -> Answer:
        """Request, and wait for the answer."""
        ...

    async def space(self) -> None:
        """Wait until there is space for events."""
        ...

    def show(self, events: Sequence[Event]) -> None:
        """Hand events to the application."""
        ...

    def post(self) -> None:
        """Send what waited for a room."""
        ...

    def spawn(self, task: Coroutine[Any, Any, object]) -> None:
        """Do something for as long as the present connection lasts."""
        ...


class Room:
    """A room this client is in, or on its way into.

    Attributes:
        inside: the server has let it in, on the present connection.
    """

    def __init__(self, name: str, password: str | None) -> None:
        self.name = name
        self.log = RoomLog(name)
        self.inside = False
        self.filling = False
        self.password = password
        # A server may give a ticket for the way back in; it saves hashing the password.
        self.grant: Data = None

    def credentials(self) -> dict[str, Data]:
        """The data of `joinRoom`."""
        known = {"room": self.name, "password": self.password, "grant": self.grant}
        return {name: value for name, value in known.items() if value is not None}


class Rooms:
    """All rooms by name.

    Going back in asks for the history after the last place seen. A server that can replay by
    itself would do so in `_enter_again`; all else would stay as it is.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self._rooms: dict[str, Room] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)

    def get(self, name: str | None) -> Room | None:
        """The room of this name, if this client is in it or on its way."""
        return self._rooms.get(name) if name is not None else None

    def names(self) -> list[str]:
        """The rooms this client has been let into."""
        return [room.name for room in self._rooms.values() if room.log.last is not None]

    def connection_lost(self) -> None:
        """It is in no room any more; what comes after the way back in shows what is missing."""
        for room in self._rooms.values():
            room.inside = False

    def leave(self, name: str) -> Room | None:
        """Forget a room."""
        return self._rooms.pop(name, None)

    async def join(self, name: str, password: str | None) -> Joined:
        """Enter a room; its live events follow its history without a hole.

        Raises:
            ChatError: as the server says, `forbidden` for no such room or a wrong password.
        """
        room = self._rooms.setdefault(name, Room(name, password))
        asked = Room(name, password).credentials()
        try:
            answer = await self._line.ask("joinRoom", asked, repeat=True)
        except BaseException:
            if room.log.last is None:
                self._rooms.pop(name, None)
                self._line.post()
            raise
        if password is not None:
            room.password = password
        joined = self._let_in(room, answer)
        if not room.log.settled:
            self._line.show(room.log.release())
            self.heal(room)
        return joined

    def heal(self, room: Room) -> None:
        """Catch up in the background where an event waits for others that did not come."""
        if room.inside and room.log.behind and not room.filling:
            self._line.spawn(self.fill(room))

    async def enter_all_again(self) -> None:
        """After a reconnect: enter each room, and catch up with what was missed."""
        async with asyncio.TaskGroup() as tasks:
            for name in self.names():
                tasks.create_task(self._enter_again(self._rooms[name]))

    async def _enter_again(self, room: Room) -> None:
        async with self._turns:
            try:
                answer = await _patiently(
                    lambda: self._line.ask("joinRoom", room.credentials(), repeat=False)
                )
            except ChatError as error:
                self._lose(room, error)
                return
            if self._rooms.get(room.name) is not room:
                return  # it was left meanwhile
            joined = self._let_in(room, answer)
            count = await self.fill(room, joined.head)
        await self._line.space()
        self._line.show([CaughtUp(room=room.name, count=count)])

    async def fill(self, room: Room, head: int = 0) -> int:
        """Show what the room's history has beyond the last event shown, then what waits.

        Args:
            room: one this client is inside.
            head: a place known to be in its log.

        Returns:
            How many messages of the history were shown.
        """
        if room.filling:
            return 0
        room.filling, count, stuck = True, 0, 0
        log = room.log
        try:
            if head > (log.last or 0):
                log.unsettle()
            else:
                self._line.show(log.release())
            while not log.settled:
                before = log.last
                count += await self._read_on(room)
                await self._line.space()
                self._line.show(log.release(anyhow=stuck >= MOST_ROUNDS))
                stuck = stuck + 1 if log.last == before else 0
                await asyncio.sleep(0.1 * stuck)
        except ChatError as error:
            self._lose(room, error)
        finally:
            room.filling = False
        return count

    async def _read_on(self, room: Room) -> int:
        """Show the history from the last event shown to the head."""
        count = 0
        after = room.log.last or 0
        while True:
            page = await _patiently(lambda: self._page(room.name, after=after))  # noqa: B023 - awaited at once
            # Among the seqs asked for there were no others, or the page would have them.
            read = max([after + PAGE, *(item.seq for item in page.items)])
            whole = read >= page.head
            upto = page.head if whole else None
            gap = room.log.has_gap(page.items, upto)
            cleared = gap and await self._is_cleared(room)
            await self._line.space()
            shown = room.log.merge(page.items, upto, cleared=cleared)
            self._line.show(shown)
            count += sum(isinstance(event, Message) for event in shown)
            if whole:
                return count
            after = read

    async def _is_cleared(self, room: Room) -> bool:
        """Whether everything seen so far was deleted meanwhile: history has nothing of it."""
        if not room.log.last:
            return False
        place = room.log.last + 1
        page = await _patiently(lambda: self._page(room.name, before=place, limit=1))
        return not page.items

    async def _page(self, room: str, **limits: int) -> HistoryPage:
        asked = {"room": room, "limit": PAGE, **limits}
        answer = await self._line.ask("history", asked, repeat=False)
        page = msgspec.convert(answer.data, HistoryPage)
        if page.partial:
            raise broker_unavailable()
        return page

    def _let_in(self, room: Room, answer: Answer) -> Joined:
        joined = msgspec.convert({**answer.data, "history": answer.beside or []}, Joined)
        room.grant = answer.data.get("grant")
        room.log.begin(joined.head)
        room.inside = True
        self._line.post()
        return joined

    def _lose(self, room: Room, error: ChatError) -> None:
        if self._rooms.get(room.name) is room:
            del self._rooms[room.name]
            lost = RoomLost(room=room.name, code=error.code, message=error.message)
            self._line.show([lost])
            self._line.post()


async def _patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask for as long as the connection lasts."""
    return await persist(ask, lambda error: error.retryable or error.code == "internal")
