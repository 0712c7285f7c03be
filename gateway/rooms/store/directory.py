"""The directory of rooms: finds them in the broker or in SQL, and opens stored ones again."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from gateway.rooms.store.messages import Messages
from gateway.rooms.store.room_names import (
    MAX_UNSTORED_ROOMS,
    RoomNames,
    Sees,
    form_of_key,
    sees_all,
)
from shared.broker.rooms.answers import HeldRoom, NotHeld
from shared.broker.rooms.rooms import RoomBroker
from shared.broker.rooms.send import Accepted
from shared.errors import ChatError, broker_unavailable
from shared.model.events import RoomCreated
from shared.model.ids import chat_key, room_key
from shared.model.log_events import MessagePosted
from shared.model.rooms import Room
from shared.names import form_of
from shared.storage.names import NameReader
from shared.storage.reader import Reader

MAX_TRIES: Final = 5
"""Rounds of find and compare-and-set; a round fails when another gateway was faster."""


MAX_CACHED_CHATS: Final = 10_000
"""Chats whose keys are cached."""

MAX_KEYS_PER_LOOKUP: Final = 200
"""Rooms or chats that are looked up in one round. The loop serves others between two of them."""


class Directory:
    """Finds, creates and reopens rooms.

    What somebody may not know of takes the look-ups that nothing takes: times tell no difference.

    Attributes:
        names: finds the keys of rooms by their names.
        messages: finds messages by their ids.
    """

    def __init__(self, broker: RoomBroker, reader: Reader) -> None:
        self._broker = broker
        self._reader = reader
        self._stored_names = NameReader(reader)
        self.names = RoomNames(broker, self._stored_names)
        self.messages = Messages(broker, reader, self.names, self.room)
        # A chat never changes its key, so the cache needs no invalidation.
        self._chat_keys: dict[int, str] = {}

    async def room(self, key: str) -> Room | None:
        """Find the room of a key, and let the broker hold it; None if there is none.

        Raises:
            ChatError: `broker_unavailable`; `storage_unavailable` where SQL has to be read.
        """
        found = await self.held(key)
        return found.room if found else None

    async def from_outside(self, key: str) -> Room | None:
        """Do the same as `room`, with the look-ups for none also where a room has a password."""
        found = await self.room(key)
        if found is not None and found.protected:
            await self._reader.rooms_by_key([self.names.decoy])
        return found

    async def held(self, key: str) -> HeldRoom | None:
        """Do the same as `room`; the result has the time since the room's last event too."""
        return (await self.all_held([key])).get(key)

    async def all_held(self, keys: Collection[str]) -> dict[str, HeldRoom]:
        """Do the same as `held` for many keys; return those that there are, by key."""
        held: dict[str, HeldRoom] = {}
        every = tuple(keys)
        for start in range(0, len(every), MAX_KEYS_PER_LOOKUP):
            asked = every[start : start + MAX_KEYS_PER_LOOKUP]
            for _ in range(MAX_TRIES):
                found = await self._broker.find_all(asked)
                held |= {key: each for key, each in found.items() if isinstance(each, HeldRoom)}
                asked = await self._open(found)
                if not asked:
                    break
            else:
                raise broker_unavailable()
        return held

    async def named(self, name: str) -> Room | None:
        """Find the room that a name stands for, in any spelling; raises the same errors as `room`.

        The name need not be one that a new room may have, as older builds had other rules.
        """
        return (await self.all_named([name])).get(name)

    async def all_named(self, names: Collection[str]) -> dict[str, Room]:
        """Do the same as `named` for many names; return the rooms that there are, by name."""
        keys = {name: key for name in names if (key := self.names.cached(name))}
        held = await self.all_held(keys.values())
        unknown = [name for name in names if keys.get(name) not in held]
        if unknown:
            found = await self.names.find_all(unknown)
            keys |= found
            held |= await self.all_held(found.values())
        return {name: held[key].room for name, key in keys.items() if key in held}

    def knows_chat(self, chat_id: int, sees: Sees) -> bool:
        """Return True if the direct chat of this id was found before, and need not be in SQL."""
        key = self._chat_keys.get(chat_id)
        return key is not None and sees(key)

    async def chat(self, chat_id: int, sees: Sees = sees_all) -> Room | None:
        """Return the direct chat of this id, or None, also for one that `sees` does not see.

        Raises:
            ChatError: as `room` does.
        """
        return (await self.chats([chat_id], sees)).get(chat_id)

    async def chats(self, ids: Collection[int], sees: Sees = sees_all) -> dict[int, Room]:
        """Do the same as `chat` for many ids; return the chats that there are, by id."""
        chats: dict[int, Room] = {}
        every = tuple(ids)
        for start in range(0, len(every), MAX_KEYS_PER_LOOKUP):
            some = every[start : start + MAX_KEYS_PER_LOOKUP]
            cached = self._chat_keys
            keys = {each: key for each in some if (key := cached.get(each)) and sees(key)}
            keys |= await self._keys_of_chats([each for each in some if each not in keys], sees)
            held = await self.all_held(keys.values())
            for chat_id, key in keys.items():
                if key in held and held[key].room.id == chat_id:
                    chats[chat_id] = held[key].room
                    self._cache_key(chat_id, key)
        return chats

    async def stored_chat(self, chat_id: int) -> Room | None:
        """Return the direct chat of this id as SQL has it, or None; for reads without the broker.

        Raises:
            ChatError: `storage_unavailable`.
        """
        stored = await self._reader.room_by_id(chat_id)
        return stored if stored and stored.kind == "direct" else None

    async def create(self, created: RoomCreated) -> Room:
        """Create a room.

        Raises:
            ChatError: `room_exists`, `overloaded`, `broker_unavailable`, `storage_unavailable`.
        """
        for _ in range(MAX_TRIES):
            found = await self._broker.find(created.key)
            # `deleted`: a room that was just deleted may still be in SQL, and its name is free.
            if isinstance(found, HeldRoom) or (
                not found.deleted and await self._is_stored(created)
            ):
                raise ChatError("room_exists", "a room of this name exists")
            result = await self._broker.create(created, found)
            if isinstance(result, Room):
                return result
        raise broker_unavailable()

    async def chat_of(self, user1: str, user2: str) -> tuple[Room, bool]:
        """Find or create the direct chat of two users.

        Returns:
            The chat, and True if this call created it.

        Raises:
            ChatError: `overloaded`, `broker_unavailable`, `storage_unavailable`.
        """
        key = chat_key(user1, user2)
        for _ in range(MAX_TRIES):
            if room := await self.room(key):
                return room, False
            created = RoomCreated("direct", key, "", "", user1, user1, user2)
            try:
                return await self.create(created), True
            except ChatError as error:
                if error.code != "room_exists":
                    raise
        raise broker_unavailable()

    async def rooms(self, after: str, limit: int) -> list[Room]:
        """List named rooms by the forms of their names, including those that SQL does not have yet.

        Args:
            after: only rooms that sort after this name.
            limit: maximum number of rooms.

        Raises:
            ChatError: `broker_unavailable`, `storage_unavailable`.
        """
        # The broker first. Example: room "den" is not stored yet. If SQL were read first, "den"
        # could be stored and leave the broker's list before the broker is read, and be missing.
        unstored = await self._broker.unstored(room_key(""), MAX_UNSTORED_ROOMS)
        stored = await self._stored_names.rooms_after(after, limit)
        known = {room.key for room in stored}
        first = form_of(after)
        forms = {key: form for key in unstored if (form := form_of_key(key)) >= first}
        new: list[Room] = []
        # One more than fits, as one may be the last of the page before.
        wanted = sorted(forms.keys() - known, key=forms.__getitem__)
        while wanted and len(new) <= limit:
            some, wanted = wanted[: limit + 1], wanted[limit + 1 :]
            new += [found.room for found in (await self.all_held(some)).values()]
        places = {(form_of(room.name), room.name): room for room in (*stored, *new)}
        return [places[place] for place in sorted(places) if place > (first, after)][:limit]

    async def stored_rooms(self, after: str, limit: int) -> list[Room]:
        """Do the same as `rooms` with what SQL has, for reads without the broker.

        Raises:
            ChatError: `storage_unavailable`.
        """
        return await self._stored_names.rooms_after(after, limit)

    async def find_sent(self, room: Room, body: MessagePosted, *, resend: bool) -> Accepted | None:
        """Look up a send in SQL that the broker may have forgotten; None if SQL does not have it.

        Args:
            room: the room or chat that the message is sent to.
            body: the message, with its `client_msg_id`.
            resend: True if the client says that the send may have been accepted before. If it does
                not, and SQL is away, the send goes on: a unique key in SQL refuses a second copy.

        Raises:
            ChatError: `storage_unavailable`.
        """
        try:
            known = await self._reader.accepted(room.id, body.sender, body.client_msg_id)
        except ChatError:
            if resend:
                raise
            return None
        # Epoch 0: the message is in SQL, so `durable` need not wait for a position.
        return Accepted(*known, duplicate=True, epoch=0) if known else None

    async def _open(self, found: Mapping[str, HeldRoom | NotHeld]) -> tuple[str, ...]:
        """Let the broker hold the rooms that SQL has; return their keys."""
        absent = {
            key: each
            for key, each in found.items()
            if isinstance(each, NotHeld) and not each.deleted
        }
        stored = await self._reader.rooms_by_key(absent) if absent else {}
        await asyncio.gather(
            *(
                self._broker.open(each.room, each.active_at, absent[key])
                for key, each in stored.items()
            )
        )
        return tuple(stored)

    async def _keys_of_chats(self, ids: Sequence[int], sees: Sees) -> dict[int, str]:
        """Find the keys of chats, in the broker and then in SQL."""
        if not ids:
            return {}
        keys: dict[int, str] = {}
        unstored = dict(zip(ids, await self._broker.events(ids), strict=True))
        for chat_id, found in unstored.items():
            created = found[1].body if found else None
            is_chat = isinstance(created, RoomCreated) and created.kind == "direct"
            if found and is_chat and sees(found[0]):
                keys[chat_id] = found[0]
        others = [chat_id for chat_id in ids if chat_id not in keys]
        stored = await self._reader.keys_of_chats(others) if others else {}
        return keys | {chat_id: key for chat_id, key in stored.items() if sees(key)}

    def _cache_key(self, chat_id: int, key: str) -> None:
        if len(self._chat_keys) >= MAX_CACHED_CHATS and chat_id not in self._chat_keys:
            del self._chat_keys[next(iter(self._chat_keys))]
        self._chat_keys[chat_id] = key

    async def _is_stored(self, created: RoomCreated) -> bool:
        """Return True if SQL has the room that is to be created, in any spelling of its name."""
        if created.kind == "room":
            return bool(await self.names.spellings(created.name))
        return await self._reader.room(created.key) is not None
