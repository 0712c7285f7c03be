"""The directory of rooms: finds them in the broker or in SQL, and opens stored ones again."""

from typing import Final

import msgspec

from gateway.rooms.store.room_names import MAX_UNSTORED_ROOMS, RoomNames, form_of_key
from shared.broker.rooms.answers import HeldRoom
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


class MessageLocation(msgspec.Struct, frozen=True):
    """The room and seq of a message, with its sender."""

    room: Room
    seq: int
    sender: str
    deleted: bool


class Directory:
    """Finds, creates and reopens rooms.

    Attributes:
        names: finds the keys of rooms by their names.
    """

    def __init__(self, broker: RoomBroker, reader: Reader) -> None:
        self._broker = broker
        self._reader = reader
        self._stored_names = NameReader(reader)
        self.names = RoomNames(broker, self._stored_names)
        # A chat never changes its key, so the cache needs no invalidation.
        self._chat_keys: dict[int, str] = {}

    async def room(self, key: str) -> Room | None:
        """Find the room of a key, and let the broker hold it; None if there is none.

        Raises:
            ChatError: `broker_unavailable`; `storage_unavailable` where SQL has to be read.
        """
        found = await self.held(key)
        return found.room if found else None

    async def held(self, key: str) -> HeldRoom | None:
        """Do the same as `room`; the result has the time since the room's last event too."""
        for _ in range(MAX_TRIES):
            found = await self._broker.find(key)
            if isinstance(found, HeldRoom):
                return found
            stored = None if found.deleted else await self._reader.room(key)
            if stored is None:
                return None
            await self._broker.open(stored.room, stored.active_at, found)
        raise broker_unavailable()

    async def named(self, name: str) -> Room | None:
        """Find the room that a name stands for, in any spelling; raises the same errors as `room`.

        The name need not be one that a new room may have, as older builds had other rules.
        """
        if (key := self.names.cached(name)) and (room := await self.room(key)):
            return room
        key = await self.names.find(name)
        return await self.room(key) if key else None

    async def chat(self, chat_id: int) -> Room | None:
        """Return the direct chat of this id, or None; raises the same errors as `room`."""
        key = self._chat_keys.get(chat_id) or await self._key_of_chat(chat_id)
        room = await self.room(key) if key else None
        if room is None or room.id != chat_id:
            return None
        if len(self._chat_keys) >= MAX_CACHED_CHATS:
            del self._chat_keys[next(iter(self._chat_keys))]
        self._chat_keys[chat_id] = room.key
        return room

    async def stored_chat(self, chat_id: int) -> Room | None:
        """Return the direct chat of this id as SQL has it, or None; for reads without the broker.

        Raises:
            ChatError: `storage_unavailable`.
        """
        stored = await self._reader.room_by_id(chat_id)
        return stored if stored and stored.kind == "direct" else None

    async def locate_message(self, message_id: int) -> MessageLocation | None:
        """Find the room and seq of a message, or None; raises the same errors as `room`."""
        if unstored := await self._broker.event(message_id):
            key, event = unstored
            if not isinstance(event.body, MessagePosted):
                return None
            room_id, seq, sender, deleted = event.room_id, event.seq, event.body.sender, False
        elif stored := await self._reader.locate_message(message_id):
            key, room_id = stored.room_key, stored.room_id
            seq, sender, deleted = stored.seq, stored.sender, stored.deleted
        else:
            return None
        room = await self.room(key)
        if room is None or room.id != room_id:
            return None
        return MessageLocation(room, seq, sender, deleted or seq <= room.floor)

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
        for key in sorted(forms.keys() - known, key=forms.__getitem__):
            if len(new) > limit:
                break  # one more than fits, as one may be the last of the page before
            if room := await self.room(key):
                new.append(room)
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

    async def _key_of_chat(self, chat_id: int) -> str | None:
        if unstored := await self._broker.event(chat_id):
            key, event = unstored
            created = event.body
            return key if isinstance(created, RoomCreated) and created.kind == "direct" else None
        stored = await self.stored_chat(chat_id)
        return stored.key if stored else None

    async def _is_stored(self, created: RoomCreated) -> bool:
        """Return True if SQL has the room that is to be created, in any spelling of its name."""
        if created.kind == "room":
            return bool(await self.names.spellings(created.name))
        return await self._reader.room(created.key) is not None
