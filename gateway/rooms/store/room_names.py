"""Names of rooms: finds the key of a room by any spelling of its name."""

import time
from collections.abc import Callable
from typing import Final

from shared.broker.rooms.answers import HeldRoom
from shared.broker.rooms.rooms import RoomBroker
from shared.errors import ChatError
from shared.model.ids import ROOM, room_key
from shared.names import enforced, form_of
from shared.storage.names import NameReader

CACHE_SECONDS: Final = 60.0
"""Seconds for which the key of a spelling is cached. A gateway of an older build, beside this one,
may create a room of exactly this spelling."""

MAX_CACHED_NAMES: Final = 10_000
"""Spellings whose keys are cached."""

MAX_UNSTORED_ROOMS: Final = 5000
"""New rooms of a partition that SQL does not have yet and that are searched for other spellings."""


def check_room_name(name: str) -> str:
    """Return the name as a new room has it.

    Raises:
        ChatError: `bad_request`; the text says what is wrong with it.
    """
    try:
        return enforced(name)
    except ValueError as error:
        raise ChatError("bad_request", str(error)) from None


class RoomNames:
    """Finds keys of rooms by names.

    A room is created under the form of its name, so that there is one for all spellings. Builds
    that did not know forms created rooms under the spelling, so there may be several: each is found
    by its own spelling, and by others if it is the only one.

    Attributes:
        all_know_forms: returns True once every running process finds rooms by their forms.
    """

    def __init__(self, broker: RoomBroker, reader: NameReader) -> None:
        self._broker = broker
        self._reader = reader
        # The key of each spelling, and the time until which it holds.
        self._cached: dict[str, tuple[str, float]] = {}
        self.all_know_forms: Callable[[], bool] = lambda: True

    def cached(self, name: str) -> str | None:
        """Return the key of a spelling, if it is cached."""
        known = self._cached.get(name)
        return known[0] if known and known[1] > time.monotonic() else None

    def new_key(self, name: str) -> str:
        """Return the key under which to create a room of a name."""
        # Beside a gateway of an older build the spelling: it would not find the room otherwise.
        return room_key(form_of(name) if self.all_know_forms() else name)

    async def find(self, name: str) -> str | None:
        """Find the key of the room that a name stands for; None if there is none.

        Raises:
            ChatError: `broker_unavailable`; `storage_unavailable` where SQL has to be read.
        """
        exact, general = room_key(name), room_key(form_of(name))
        for key in dict.fromkeys((exact, general)):
            held = await self._broker.find(key)
            if isinstance(held, HeldRoom) and (key == exact or held.room.name == name):
                return self._cache(name, key)
        found = await self.spellings(name)
        for key in (exact, general):
            if key in found:
                return self._cache(name, key)
        return self._cache(name, found.pop()) if len(found) == 1 else None

    async def spellings(self, name: str) -> set[str]:
        """Find the keys of all rooms whose names compare as this one.

        Raises:
            ChatError: `broker_unavailable`, `storage_unavailable`.
        """
        form = form_of(name)
        # The broker first: a room may be stored meanwhile, and leave the broker's list.
        unstored = await self._broker.unstored(room_key(""), MAX_UNSTORED_ROOMS)
        keys = [room_key(name), room_key(form)]
        stored = await self._reader.rooms(form, keys)
        new = (key for key in unstored if key in keys or form_of_key(key) == form)
        return {*(room.key for room in stored), *new}

    def _cache(self, name: str, key: str) -> str:
        while len(self._cached) >= MAX_CACHED_NAMES:
            del self._cached[next(iter(self._cached))]
        self._cached[name] = (key, time.monotonic() + CACHE_SECONDS)
        return key


def form_of_key(key: str) -> str:
    """Return the form of the name that a named room's key is made of."""
    return form_of(key.removeprefix(f"{ROOM}:"))
