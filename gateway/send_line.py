"""Sends to a room that must be opened first wait in line, so that they keep their order."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import count
from typing import NamedTuple

from shared.broker.publisher import Accepted, Publisher, RoomNotHeld
from shared.errors import ChatError, broker_unavailable
from shared.model.events import Body
from shared.model.rooms import Room


class _Waiting(NamedTuple):
    ticket: int
    room: Room
    sender: str
    client_msg_id: str
    body: Body
    done: "asyncio.Future[Accepted]"


class SendLine:
    """Hands sends to the publisher; those to a room that is not held stand in line for it."""

    def __init__(self, publisher: Publisher, open_room: Callable[[str], Awaitable[object]]) -> None:
        self._publisher = publisher
        self._open_room = open_room
        self._tickets = count()
        # Sends under way, by room: some of them may still come back because it is not held.
        self._under_way: Counter[str] = Counter()
        self._lines: dict[str, list[_Waiting]] = {}
        self._moved = asyncio.Event()
        self._openers: set[asyncio.Task[None]] = set()

    async def send(self, room: Room, sender: str, client_msg_id: str, body: Body) -> Accepted:
        """Send; sends take their places in the order of these calls' first steps.

        Raises:
            ChatError: as `Publisher.send`, and as opening a room does.
        """
        ticket = next(self._tickets)
        if room.key not in self._lines:
            self._under_way[room.key] += 1
            try:
                return await self._publisher.send(room, sender, client_msg_id, body)
            except RoomNotHeld:
                pass
            finally:
                self._under_way[room.key] -= 1
                if not self._under_way[room.key]:
                    del self._under_way[room.key]
                    self._moved.set()
        done: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
        waiting = _Waiting(ticket, room, sender, client_msg_id, body, done)
        if room.key in self._lines:
            self._lines[room.key].append(waiting)
        else:
            self._lines[room.key] = [waiting]
            opener = asyncio.create_task(self._open(room.key))
            self._openers.add(opener)
            opener.add_done_callback(self._openers.discard)
        return await done

    async def _open(self, key: str) -> None:
        failure: ChatError | None = None
        try:
            await self._open_room(key)
        except ChatError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - whoever waits must have an answer
            failure = ChatError("internal", f"the room could not be opened: {error}")
        while self._under_way[key]:
            self._moved.clear()
            await self._moved.wait()
        # From here on without a pause: whoever comes next goes behind all of these.
        for waiting in sorted(self._lines.pop(key)):
            if failure is None:
                sent = self._publisher.send(*waiting[1:5])
                sent.add_done_callback(_handing_to(waiting.done))
            elif not waiting.done.done():
                waiting.done.set_exception(failure)


def _handing_to(
    done: "asyncio.Future[Accepted]",
) -> "Callable[[asyncio.Future[Accepted]], None]":
    def hand_over(sent: "asyncio.Future[Accepted]") -> None:
        if done.done():
            return  # whoever waited has gone
        error = sent.exception()
        if error is None:
            done.set_result(sent.result())
        else:
            done.set_exception(broker_unavailable() if isinstance(error, RoomNotHeld) else error)

    return hand_over
