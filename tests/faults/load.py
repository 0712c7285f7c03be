"""The load: clients that send, read, mark as seen, delete, type, leave and come back."""

import asyncio
import random
from dataclasses import dataclass
from typing import Final

from tests.faults.client import Client
from tests.faults.history import now
from tests.faults.places import Message, Place

HURRY: Final = 2.0
"""How much faster than their pace people are when they are behind it."""

MAX_BEHIND: Final = 3.0
"""Seconds that anybody tries to make up for; what is beyond them is not done."""

CLEARED: Final = "room-00"
"""The room whose history is cleared now and then."""

OFFLINE_SECONDS: Final = 0.7
"""Seconds for which somebody is offline."""


@dataclass(frozen=True)
class Pace:
    """The load's total rate of actions.

    Attributes:
        sends: messages a second of all clients.
    """

    sends: float
    clients: int

    @property
    def interval(self) -> float:
        """Seconds between two actions of a client."""
        return self.clients / self.sends * SENDING


DEEDS: Final = {
    "send": 78,
    "seen": 9,
    "history": 5,
    "typing": 5,
    "delete": 2,
    "away": 1,
}
"""What one does, by weight."""

SENDING: Final = DEEDS["send"] / sum(DEEDS.values())


class Person:
    """Uses a client until told to rest."""

    def __init__(self, client: Client, pace: Pace, seed: str) -> None:
        self.client = client
        self._interval = pace.interval
        self._random = random.Random(seed)  # noqa: S311 - nothing secret about it
        self._own: list[Message] = []

    async def live(self, rest: asyncio.Event) -> None:
        """Do one action after the other, at the pace, until `rest`."""
        due = now() + self._random.uniform(0, self._interval)
        while not rest.is_set():
            await asyncio.sleep(max(self._interval / HURRY, due - now()))
            due = max(due, now() - MAX_BEHIND) + self._interval * self._random.uniform(0.5, 1.5)
            [deed] = self._random.choices(list(DEEDS), weights=list(DEEDS.values()))
            await self._do(deed, self._random.choice(list(self.client.places.values())))

    async def _do(self, deed: str, place: Place) -> None:
        match deed:
            case "send":
                text = "x" * self._random.randrange(20, 120)
                self._own.append(await self.client.send(place, text))
            case "seen":
                await mark_seen(self.client, place)
            case "history":
                await self.client.read(place, limit=self._random.choice((10, 50, 300)))
            case "typing":
                await self.client.simple("typing", place, "typing", place.where)
            case "delete":
                await self._delete(place)
            case "away":
                await self.client.away(OFFLINE_SECONDS)

    async def _delete(self, place: Place) -> None:
        if place.name == CLEARED and self._random.random() < 0.3:
            await self.client.simple("clear", place, "deleteMessages", {"room": place.room})
            return
        settled = [m for m in self._own if m.seq and m.key not in self.client.unsettled]
        if not settled:
            return
        message = self._random.choice(settled[-20:])
        self._own.remove(message)
        await self.client.delete(message)


async def mark_seen(client: Client, place: Place) -> bool:
    """Mark what the client has of a place as seen. Return True if it is marked for certain."""
    seq = client.listener.last[place.name]
    if not seq:
        return True
    data = {**place.where, "seq": seq}
    return await client.simple("seen", place, "seen", data, seq=seq)
