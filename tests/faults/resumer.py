"""Catching up after a connect: missed events, or the whole history again."""

import asyncio
import itertools
import random
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from tests.faults.line import Line
from tests.faults.listener import Listener
from tests.faults.places import Place
from tests.support.peer import Refusal

PAUSE: Final = (0.05, 0.2)
"""Seconds between two tries, at random, as clients should."""

PAGE: Final = 1000
"""Messages of a history asked for at a time, when everything is wanted."""


async def pause() -> None:
    """Wait a little before the next try."""
    await asyncio.sleep(random.uniform(*PAUSE))  # noqa: S311 - nothing secret about it


class Resumer:
    """Brings a client up to date.

    Attributes:
        turn: held by a resume. One at a time: each names what the last one brought.
    """

    def __init__(self, places: Mapping[str, Place], listener: Listener) -> None:
        self._places = places
        self._listener = listener
        self.turn = asyncio.Lock()
        # Places whose history is to be loaded anew, with a number for each time that was found
        # out: a connection may end before it is.
        self._unloaded: dict[str, int] = {}
        self._resets = itertools.count()

    @property
    def is_loading(self) -> bool:
        """True while the history of a place is requested, or must be."""
        return bool(self._unloaded)

    async def resume(self, line: Line, names: list[str], *, doubted: bool = False) -> None:
        """Get the missed events of some places.

        Args:
            line: the connection.
            names: of the places.
            doubted: where the client is in them was remembered before.

        Raises:
            Lost: the connection ended.
        """
        if not doubted:
            self._listener.doubt(names)
        async with self.turn:
            places = [self._places[name] for name in names if self._listener.doubts(name)]
            await self._resumed(line, places)
        for name, reset in list(self._unloaded.items()):
            await self._load(line, self._places[name])
            if self._unloaded.get(name) == reset:
                del self._unloaded[name]

    async def come_online(self, line: Line) -> None:
        """Go online, and subscribe to the user's chats.

        Raises:
            Lost: the connection ended.
        """
        while True:
            try:
                await line.request("userOnline", self._listener.user)
            except Refusal:
                await pause()
            else:
                return

    async def _resumed(self, line: Line, places: list[Place]) -> None:
        while places:
            doubts = {place.name: self._listener.doubts(place.name) for place in places}
            # From the same place each time: a try that was refused may have brought a part,
            # and what came by itself since may lie beyond a hole.
            since = {place.name: self._listener.since(place.name) for place in places}
            wanted = {
                "rooms": {place.room: since[place.name] for place in places if place.room},
                "chats": {str(place.chat): since[place.name] for place in places if place.chat},
            }
            look = partial(self._look, places, since, doubts)
            try:
                await line.request("resume", wanted, look)
            except Refusal as refusal:
                if not refusal.retryable:
                    raise
                await pause()
            else:
                places = [place for place in places if self._listener.doubts(place.name)]

    def _look(
        self,
        places: list[Place],
        since: Mapping[str, int],
        doubts: Mapping[str, int],
        answer: dict[str, Any],
    ) -> None:
        found = answer["rooms"] | answer["chats"]
        for place in places:
            outcome, at = found[place.room or str(place.chat)], since[place.name]
            if not outcome["recovered"]:
                at = max(at, outcome["head"])
                self._listener.reset(place.name, outcome["head"])
                self._unloaded[place.name] = next(self._resets)
            self._listener.settled(place.name, doubts[place.name], at)

    async def _load(self, line: Line, place: Place) -> None:
        """Load the history of a place again."""
        after = 0
        while True:
            page = {**place.where, "after": after, "limit": PAGE}
            try:
                answer = await line.request("history", page)
            except Refusal:
                await pause()
                continue
            if answer["partial"]:
                await pause()
                continue
            if not answer["items"]:
                return
            self._listener.loaded(place.name, answer["items"])
            after = answer["items"][-1]["seq"]
