"""Rooms in the broker: find one, make one, open one again from SQL; which are held, or new."""

import asyncio
from collections.abc import Sequence
from typing import Literal

from shared import codec
from shared.broker.partitions.fence import FENCE_GAP, Fence
from shared.broker.partitions.keyspace import Keyspace
from shared.broker.partitions.reading import PartitionReader
from shared.broker.partitions.rows import counter_in, entries_of
from shared.broker.rooms.answers import HeldRoom, NotHeld
from shared.broker.rooms.records import new_room, room_of, rule_fields
from shared.broker.transport.client import Client, Script, unavailable_as_error
from shared.broker.transport.pipe import Pipe, PipedScript
from shared.errors import ChatError, broker_unavailable
from shared.model.events import Event, RoomCreated, Wake
from shared.model.ids import counter_of, partition_of_id
from shared.model.rooms import Room


class RoomBroker:
    """The rooms of all partitions."""

    def __init__(
        self, client: Client, reads: Pipe, keys: Keyspace, fence: Fence, max_backlog: int
    ) -> None:
        """Take what leads to the broker.

        Args:
            client: to make and to open them, which is rare.
            reads: for what each join and resume reads, at a tenth of the CPU. Not the pipe of
                sends: an answer may be long.
            keys: of the installation.
            fence: what this process has seen of the partitions.
            max_backlog: entries a partition may have waiting.
        """
        self._keys = keys
        self._fence = fence
        self._max_backlog = max_backlog
        self._reader = PartitionReader(reads, keys, fence)
        self._find = PipedScript(reads, "find_room")
        self._create = Script(client, "create_room")
        self._open = Script(client, "open_room")

    async def find(self, key: str) -> HeldRoom | NotHeld:
        """Read a room's record.

        Raises:
            ChatError: `broker_unavailable`, also while the partition is closed.
        """
        part = self._keys.of(key)
        with unavailable_as_error():
            answer = await self._find(
                [part.record, part.room(key)], [self._fence.epoch(part.number)]
            )
        if answer is None:
            raise broker_unavailable()
        epoch, generation, state, idle, words = answer
        self._fence.note_epoch(part.number, int(epoch))
        if state != b"held":
            return NotHeld(int(epoch), int(generation), state == b"deleted")
        return HeldRoom(room_of(key, int(epoch), words), int(idle) / 1000)

    async def create(self, created: RoomCreated, seen: NotHeld) -> Room | Literal["stale"]:
        """Claim a name that neither the broker nor SQL holds.

        Args:
            created: the creation; its key is the claim.
            seen: what `find` said before SQL was asked.

        Returns:
            The new room, or "stale" when SQL's word may be out of date: find again.

        Raises:
            ChatError: `room_exists`, `overloaded`, `broker_unavailable`.
        """
        part, key = self._keys.of(created.key), created.key
        users = (created.user1, created.user2) if created.kind == "direct" else ()
        wake = Wake(key, *users, created=True) if users else None
        with unavailable_as_error():
            answer = await self._create(
                [
                    *(part.record, part.stream, part.control, part.wakes),
                    *(part.held, part.unstored, part.room(key), *part.all_of_room(key)),
                    *(part.chats(user) for user in users),
                ],
                [
                    *(seen.epoch, seen.generation, self._max_backlog),
                    *(key, created.kind, created.name, created.password_hash),
                    *(created.creator, created.user1, created.user2),
                    *(codec.encode_body(created), codec.encode_body(wake) if wake else ""),
                    *(self._fence.epoch(part.number), self._fence.format(part.number)),
                ],
            )
        match answer:
            case None:
                raise broker_unavailable()
            case [b"created", room_id, at]:
                return new_room(created, room_id, at, seen.epoch)
            case [b"exists"]:
                raise ChatError("room_exists", "a room of this name exists")
            case [b"overloaded"]:
                raise ChatError("overloaded", "too much waits to be stored, try again")
            case _:
                return "stale"

    async def open(self, room: Room, active_at: int, seen: NotHeld) -> bool:
        """Hold a room that SQL has.

        Args:
            room: the room as SQL has it.
            active_at: when its last event was, milliseconds since 1970.
            seen: what `find` said before SQL was read.

        Returns:
            False when SQL's word may be out of date: find again.

        Raises:
            ChatError: `broker_unavailable`.
        """
        part = self._keys.of(room.key)
        # Each epoch since its last stored event may have given numbers that were lost.
        given = room.head + FENCE_GAP * (seen.epoch - room.epoch)
        with unavailable_as_error():
            answer = await self._open(
                [
                    *(part.record, part.held, part.room(room.key), *part.all_of_room(room.key)),
                    *(part.chats(user) for user in room.users),
                ],
                [
                    *(seen.epoch, seen.generation, room.key, room.id, room.kind, room.name),
                    *(room.password_hash, room.creator, room.user1, room.user2, room.created_at),
                    *(room.head, given, room.floor, active_at, self._fence.epoch(part.number)),
                    *rule_fields(room),
                ],
            )
        if answer is None:
            raise broker_unavailable()
        return bool(answer == b"open")

    async def event(self, event_id: int) -> tuple[str, Event] | None:
        """An event that may not be in SQL yet, by its id, and the key of its room, or None.

        Raises:
            ChatError: `broker_unavailable`.
        """
        number = partition_of_id(event_id)
        if number >= len(self._keys):
            return None
        part = self._keys[number]
        # The row that begins or ends beyond the event has it, if the stream does.
        behind = (f"{counter_of(event_id)}-0", "+", "COUNT", 1)
        rows = await self._reader.read(part, "XRANGE", part.stream, words=behind)
        for entry in entries_of(counter_in(rows[0][0]), rows[0][1], part.room("")) if rows else ():
            try:
                event = codec.decode(entry.data)
            except codec.CodecError:
                continue  # not the one: it stands behind it, on its way to the dead letters
            if event.id == event_id:
                return entry.room_key, event
        return None

    async def held_chats(self, *users: str) -> list[str]:
        """Keys of the direct chats of any of these users that are held: the others are in SQL.

        Raises:
            ChatError: `broker_unavailable`.
        """
        found = await asyncio.gather(
            *(
                self._reader.read(part, "SUNION", *(part.chats(user) for user in users))
                for part in self._keys.partitions
            )
        )
        return sorted(key.decode() for keys in found for key in keys)

    async def unstored(self, after: str, limit: int) -> Sequence[str]:
        """Keys of rooms that SQL may not have yet, by name, after the key `after`.

        Raises:
            ChatError: `broker_unavailable`.
        """
        words = (f"({after}", "+", "LIMIT", 0, limit)
        found = await asyncio.gather(
            *(
                self._reader.read(part, "ZRANGEBYLEX", part.unstored, words=words)
                for part in self._keys.partitions
            )
        )
        return sorted(key.decode() for keys in found for key in keys)[:limit]
