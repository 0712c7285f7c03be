"""The rooms a client is in: entering them, and after a reconnect entering them again."""

import asyncio
from typing import Final

import msgspec

from parley_chat.connection.pending import Answer
from parley_chat.connection.wire import Data
from parley_chat.errors import ChatError
from parley_chat.events.answers import Joined
from parley_chat.events.entries import Entry
from parley_chat.events.kinds import (
    Banned,
    CaughtUp,
    Event,
    Kicked,
    RoomLost,
)
from parley_chat.log.catch_up import CatchUp, Place
from parley_chat.log.line import Line, patiently

AT_ONCE: Final = 4
"""Rooms entered again at the same time: their histories share one connection."""


class Room(Place):
    """A room this client is in, or on its way into.

    Attributes:
        name: its name.
        password: what it takes to enter.
        epoch: of the broker's data up to which it was looked for what was lost.
    """

    def __init__(self, name: str, password: str | None) -> None:
        super().__init__(room=name)
        self.name = name
        self.password = password
        self.epoch: int | None = None
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
        self._catch_up = CatchUp[Room](line, self._lose)

    def get(self, name: str | None) -> Room | None:
        """The room of this name, if this client is in it or on its way."""
        return self._rooms.get(name) if name is not None else None

    def names(self) -> list[str]:
        """The rooms this client has been let into."""
        return [room.name for room in self._rooms.values() if room.log.last is not None]

    def of_message(self, message_id: int) -> str | None:
        """The name of the room that a message is known to be in."""
        known = (room.name for room in self._rooms.values() if room.log.knows(message_id))
        return next(known, None)

    def is_next(self, entry: Entry) -> bool:
        """Take a live event of a room; return whether it is to be shown now."""
        room = self.get(entry.at.room)
        return room is None or self._catch_up.is_next(room, entry)

    def take(self, event: Event) -> None:
        """Take an event that is shown: by some of them this client is in a room no more."""
        if isinstance(event, Kicked | Banned) and str(event.user) == str(self._line.user):
            room = self._rooms.get(event.room)
            what = "banned from" if isinstance(event, Banned) else "put out of"
            if room is not None:
                self._lose(room, ChatError("forbidden", f"you were {what} the room"))

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
            self._catch_up.heal(room)
        return joined

    async def enter_all_again(self) -> None:
        """After a reconnect: enter each room, and catch up with what was missed."""
        async with asyncio.TaskGroup() as tasks:
            for name in self.names():
                tasks.create_task(self._enter_again(self._rooms[name]))

    async def _enter_again(self, room: Room) -> None:
        async with self._turns:
            try:
                answer = await patiently(
                    lambda: self._line.ask("joinRoom", room.credentials(), repeat=False)
                )
            except ChatError as error:
                self._lose(room, error)
                return
            if self._rooms.get(room.name) is not room:
                return  # it was left meanwhile
            joined = self._let_in(room, answer)
            if joined.head > (room.log.last or 0):
                room.log.unsettle()
            elif not room.filling:
                self._line.show(room.log.release())
            count = await self._catch_up.fill(room)
            if joined.epoch != room.epoch:
                await self._catch_up.find_lost(room)
                room.epoch = joined.epoch
        await self._line.space()
        self._line.show([CaughtUp(room=room.name, count=count)])

    def _let_in(self, room: Room, answer: Answer) -> Joined:
        joined = msgspec.convert({**answer.data, "history": answer.beside or []}, Joined)
        room.grant = answer.data.get("grant")
        room.epoch = room.epoch or joined.epoch
        room.log.begin(joined.head)
        room.log.remember(joined.history)
        room.inside = True
        self._line.post()
        return joined

    def _lose(self, room: Room, error: ChatError) -> None:
        if self._rooms.get(room.name) is room:
            del self._rooms[room.name]
            lost = RoomLost(room=room.name, code=error.code, message=error.message)
            self._line.show([lost])
            self._line.post()
