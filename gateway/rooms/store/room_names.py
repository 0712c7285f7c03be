"""Names of rooms: finds the key of a room by any spelling of its name."""

import contextlib
import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from itertools import chain
from typing import Final

from shared.broker.rooms.answers import HeldRoom
from shared.broker.rooms.rooms import RoomBroker
from shared.errors import ChatError
from shared.model.ids import ROOM, room_key
from shared.model.rooms import Room
from shared.names import enforced, form_of
from shared.storage.names import NameReader

CACHE_SECONDS: Final = 60.0
"""Seconds for which the key of a spelling is cached. A gateway of an older build, beside this one,
may create a room of exactly this spelling."""

MAX_CACHED_NAMES: Final = 10_000
"""Spellings whose keys are cached."""

MAX_UNSTORED_ROOMS: Final = 5000
"""New rooms of a partition that SQL does not have yet and that are searched for other spellings."""


Sees = Callable[[str], bool]
"""True for the key of a room or chat that whoever asks may know of."""


def sees_all(_key: str) -> bool:
    """Return True: whoever asks may know of every room and chat."""
    return True


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
        decoy: the beginning of names that no room has.
        all_know_forms: returns True once every running process finds rooms by their forms.
    """

    def __init__(self, broker: RoomBroker, reader: NameReader) -> None:
        self._broker = broker
        self._reader = reader
        # The key of each spelling, and the time until which it holds.
        self._cached: dict[str, tuple[str, float]] = {}
        self.decoy = secrets.token_urlsafe(12)
        self.all_know_forms: Callable[[], bool] = lambda: True

    def cached(self, name: str) -> str | None:
        """Return the key of a spelling, if it is cached."""
        known = self._cached.get(name)
        return known[0] if known and known[1] > time.monotonic() else None

    def new_key(self, name: str) -> str:
        """Return the key under which to create a room of a name."""
        # Beside a gateway of an older build the spelling: it would not find the room otherwise.
        return room_key(form_of(name) if self.all_know_forms() else name)

    async def find_all(self, names: Collection[str]) -> dict[str, str]:
        """Find the keys of the rooms that names stand for; return them by name.

        Raises:
            ChatError: `broker_unavailable`; `storage_unavailable` where SQL has to be read.
        """
        keys = {name: (room_key(name), room_key(form_of(name))) for name in names}
        held = await self._broker.find_all(dict.fromkeys(chain.from_iterable(keys.values())))
        found: dict[str, str] = {}
        for name, (exact, general) in keys.items():
            if isinstance(held[exact], HeldRoom):
                found[name] = exact
            elif isinstance(other := held[general], HeldRoom) and other.room.name == name:
                found[name] = general
        unknown = {name: form_of(name) for name in names if name not in found}
        spellings = await self._spellings(unknown) if unknown else {}
        for name, of_form in spellings.items():
            known = [key for key in keys[name] if key in of_form]
            if known or len(of_form) == 1:
                found[name] = known[0] if known else next(iter(of_form))
        for name, key in found.items():
            self._cache(name, key)
        return found

    async def even_out(self, rooms: Collection[Room | None]) -> None:
        """Do the look-ups that finding these rooms has not taken, and finding others has.

        Otherwise the time of a refusal tells if there is a room.

        Args:
            rooms: rooms that were found and have to look like none, and None for each that was not.
        """
        names = [f"{self.decoy} {number}" for number in range(len(rooms))]
        absent = [room_key(name) for name, room in zip(names, rooms, strict=True) if room is None]
        hidden = [name for name, room in zip(names, rooms, strict=True) if room is not None]
        with contextlib.suppress(ChatError):
            await self._broker.find_all(absent)
            if hidden:
                await self.find_all(hidden)

    async def spellings(self, name: str) -> set[str]:
        """Find the keys of all rooms whose names compare as this one.

        Raises:
            ChatError: `broker_unavailable`, `storage_unavailable`.
        """
        return (await self._spellings({name: form_of(name)}))[name]

    async def _spellings(self, forms: Mapping[str, str]) -> dict[str, set[str]]:
        """Do the same as `spellings` for the names of some forms."""
        # The broker first: a room may be stored meanwhile, and leave the broker's list.
        unstored = await self._broker.unstored(room_key(""), MAX_UNSTORED_ROOMS)
        keys = {name: {room_key(name), room_key(form)} for name, form in forms.items()}
        stored = await self._reader.rooms(set(forms.values()), set().union(*keys.values()))
        found = {room.key: form_of(room.name) for room in stored}
        found |= {key: form_of_key(key) for key in unstored}
        by_form = defaultdict[str, set[str]](set)
        for key, form in found.items():
            by_form[form].add(key)
        return {
            name: by_form.get(form, set()) | (keys[name] & found.keys())
            for name, form in forms.items()
        }

    def _cache(self, name: str, key: str) -> None:
        while len(self._cached) >= MAX_CACHED_NAMES:
            del self._cached[next(iter(self._cached))]
        self._cached[name] = (key, time.monotonic() + CACHE_SECONDS)


def form_of_key(key: str) -> str:
    """Return the form of the name that a named room's key is made of."""
    return form_of(key.removeprefix(f"{ROOM}:"))
