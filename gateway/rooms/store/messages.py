"""Finding of messages by their ids, in the broker and in SQL."""

from collections.abc import Awaitable, Callable

import msgspec

from gateway.rooms.store.room_names import RoomNames, Sees, sees_all
from shared.broker.rooms.rooms import RoomBroker
from shared.model.events import Event
from shared.model.ids import is_chat_key
from shared.model.log_events import MessagePosted
from shared.model.rooms import Room
from shared.storage.reader import Reader, StoredLocation


class MessageLocation(msgspec.Struct, frozen=True):
    """The room and seq of a message, with its sender."""

    room: Room
    seq: int
    sender: str
    deleted: bool


class Messages:
    """Finds messages by their ids."""

    def __init__(
        self,
        broker: RoomBroker,
        reader: Reader,
        names: RoomNames,
        room: Callable[[str], Awaitable[Room | None]],
    ) -> None:
        """Prepare.

        Args:
            broker: has the messages that are not stored yet.
            reader: has the others.
            names: evens out the look-ups.
            room: finds the room of a key.
        """
        self._broker = broker
        self._reader = reader
        self._names = names
        self._room = room

    async def locate(self, message_id: int, sees: Sees = sees_all) -> MessageLocation | None:
        """Find the room and seq of a message; None if there is none.

        A message of a chat that whoever asks may not know of is none, after the same look-ups. One
        of such a room is found, as who is banned from the room may be told so.

        Raises:
            ChatError: `broker_unavailable`; `storage_unavailable` where SQL has to be read.
        """
        unstored, stored = await self._broker.event(message_id), None
        if unstored is None or not sees(unstored[0]):
            stored = await self._reader.locate_message(message_id)
        found = _from_event(*unstored) if unstored else stored
        if found is None or (is_chat_key(found.room_key) and not sees(found.room_key)):
            await self._names.even_out([None])
            return None
        room = await self._room(found.room_key)
        if room is None or room.id != found.room_id:
            return None
        deleted = found.deleted or found.seq <= room.floor
        return MessageLocation(room, found.seq, found.sender, deleted)

    async def sender(self, message_id: int) -> str | None:
        """Return the sender of a message; None if there is none.

        Raises:
            ChatError: as `locate` does.
        """
        unstored = await self._broker.event(message_id)
        found = (
            _from_event(*unstored) if unstored else await self._reader.locate_message(message_id)
        )
        return found.sender if found else None


def _from_event(room_key: str, event: Event) -> StoredLocation | None:
    """Return the location of the message that an event is; None for another event."""
    if not isinstance(event.body, MessagePosted):
        return None
    return StoredLocation(room_key, event.room_id, event.seq, event.body.sender, deleted=False)
