"""The rooms of a client: joining them, and joining them again after a reconnect."""

import asyncio
from typing import Final

import msgspec

from parley_chat.connection.pending import Answer
from parley_chat.connection.wire import Data
from parley_chat.errors import ChatError
from parley_chat.events.answers import JoinedRoom
from parley_chat.events.kinds import CaughtUp, Event, RoomLost
from parley_chat.events.location import LocatedEvent
from parley_chat.events.rule_changes import Banned, Kicked
from parley_chat.log.catch_up import CatchUp, Place
from parley_chat.log.context import LogContext, ask_until_answered

MAX_CONCURRENT_ROOMS: Final = 4
"""Rooms to join again at the same time, since their histories share one connection."""


class Room(Place):
    """A room that this client has joined, or is about to join.

    Attributes:
        name: Name of the room.
        password: Password with which it was joined, if any.
        epoch: Epoch of the partition in which lost messages were last looked for.
        grant: Proof that the client was let in. It saves the server hashing the password again.
    """

    def __init__(self, name: str, password: str | None) -> None:
        super().__init__(room=name)
        self.name = name
        self.password = password
        self.epoch: int | None = None
        self.grant: Data = None

    def rename(self, name: str) -> None:
        """Take the name that the server has for it."""
        self.name = self.room = self.log.room = name

    def credentials(self) -> dict[str, Data]:
        """Return the data of `joinRoom`."""
        known = {"room": self.name, "password": self.password, "grant": self.grant}
        return {name: value for name, value in known.items() if value is not None}


class Rooms:
    """All rooms by name.

    A room that is joined again is caught up with from the last `seq` seen.
    """

    def __init__(self, line: LogContext) -> None:
        self._context = line
        self._rooms: dict[str, Room] = {}
        # The names of rooms by other spellings that were used to join them.
        self._spellings: dict[str, str] = {}
        self._joining = 0
        # Events of unknown rooms during a join: its room may have another spelling.
        self._early: list[LocatedEvent] = []
        self._slots = asyncio.Semaphore(MAX_CONCURRENT_ROOMS)
        self._catch_up = CatchUp[Room](line, self._lose)

    def get(self, name: str | None) -> Room | None:
        """Return the room of a name, if this client has joined it or is about to."""
        if name is None:
            return None
        return self._rooms.get(name) or self._rooms.get(self._spellings.get(name, name))

    def names(self) -> list[str]:
        """Return the names of the rooms that were joined."""
        return [room.name for room in self._rooms.values() if room.log.last is not None]

    def of_message(self, message_id: int) -> str | None:
        """Return the name of the room that has a message, if this client has seen it."""
        known = (room.name for room in self._rooms.values() if room.log.knows(message_id))
        return next(known, None)

    def is_next(self, entry: LocatedEvent) -> bool:
        """Take a live event of a room; return whether to deliver it now."""
        room = self.get(entry.at.room)
        if room is None and self._joining:
            self._early.append(entry)
            return False
        return room is None or self._catch_up.is_next(room, entry)

    def take(self, event: Event) -> None:
        """Learn from an event whether this client was removed from a room."""
        if isinstance(event, Kicked | Banned) and str(event.user) == str(self._context.user):
            room = self._rooms.get(event.room)
            banned = isinstance(event, Banned)
            text = f"you were {'banned from' if banned else 'put out of'} the room"
            if room is not None:
                reason = "banned" if banned else "kicked"
                self._lose(room, ChatError("forbidden", text, reason=reason))

    def connection_lost(self) -> None:
        """Take note that the client has to join all rooms again."""
        for room in self._rooms.values():
            room.subscribed = False

    def leave(self, name: str) -> Room | None:
        """Forget a room."""
        room = self.get(name)
        return None if room is None else self._rooms.pop(room.name, None)

    async def join(self, name: str, password: str | None) -> JoinedRoom:
        """Join a room; its live events follow its history without a gap.

        Raises:
            ChatError: `forbidden` if there is no such room, or the password is wrong, or with the
                reason "banned" if the user is banned from a room without a password.
        """
        room = self.get(name) or self._rooms.setdefault(name, Room(name, password))
        asked = Room(name, password).credentials()
        self._joining += 1
        try:
            answer = await self._context.ask("joinRoom", asked, idempotent=True)
            room = self._named(room, name, answer.data["room"])
        except BaseException:
            if room.log.last is None:
                self._rooms.pop(name, None)
                self._context.post()
            raise
        finally:
            self._joining -= 1
            if not self._joining:
                self._early.clear()
        if password is not None:
            room.password = password
        joined = self._let_in(room, answer)
        if not room.log.settled:
            self._context.show(room.log.release())
            self._catch_up.heal(room)
        return joined

    def _named(self, room: Room, typed: str, name: str) -> Room:
        """Return the room under the name that the server has for it."""
        if room.name != name:
            self._rooms.pop(room.name, None)
            known = self._rooms.get(name)
            if known is None:
                room.rename(name)
            room = self._rooms[name] = known or room
            for entry in [early for early in self._early if early.at.room == name]:
                room.log.live(entry)
        if typed != name:
            self._spellings[typed] = name
        return room

    async def rejoin_all(self) -> None:
        """Join all rooms again after a reconnect, and catch up with them."""
        async with asyncio.TaskGroup() as tasks:
            for name in self.names():
                tasks.create_task(self._rejoin(self._rooms[name]))

    async def _rejoin(self, room: Room) -> None:
        async with self._slots:
            try:
                answer = await ask_until_answered(
                    lambda: self._context.ask("joinRoom", room.credentials(), idempotent=False)
                )
            except ChatError as error:
                self._lose(room, error)
                return
            if self._rooms.get(room.name) is not room:
                return  # it was left meanwhile
            joined = self._let_in(room, answer)
            if joined.head > (room.log.last or 0):
                room.log.unsettle()
            elif not room.catching_up:
                self._context.show(room.log.release())
            count = await self._catch_up.catch_up(room)
            if joined.epoch != room.epoch:
                await self._catch_up.find_lost(room)
                room.epoch = joined.epoch
        await self._context.space()
        self._context.show([CaughtUp(room=room.name, count=count)])

    def _let_in(self, room: Room, answer: Answer) -> JoinedRoom:
        # A server of version 0.1 sends no `next`: then older messages are looked for from the head.
        data = {"next": answer.data["head"] + 1, **answer.data, "history": answer.beside or []}
        joined = msgspec.convert(data, JoinedRoom)
        room.grant = answer.data.get("grant")
        room.epoch = room.epoch or joined.epoch
        room.log.begin(joined.head)
        room.log.remember(joined.history)
        room.subscribed = True
        self._context.post()
        return joined

    def _lose(self, room: Room, error: ChatError) -> None:
        if self._rooms.get(room.name) is room:
            del self._rooms[room.name]
            lost = RoomLost(
                room=room.name, code=error.code, message=error.message, reason=error.reason
            )
            self._context.show([lost])
            self._context.post()
