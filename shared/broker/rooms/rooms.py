"""Rooms in the broker: finding, creating and opening them, and lists of held and new rooms."""

import asyncio
from collections.abc import Collection, Sequence
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
        """Prepare.

        Args:
            client: creates and opens rooms, which is rare.
            reads: the pipe for reading, which every join and resume does. It is not the pipe of
                sends, which long answers would delay.
            keys: the installation's keys.
            fence: the epochs that this process has seen.
            max_backlog: the entries of a partition that may wait to be stored.
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

    async def find_all(self, keys: Collection[str]) -> dict[str, HeldRoom | NotHeld]:
        """Read the records of many rooms in one round; return them by key.

        Raises:
            ChatError: `broker_unavailable`, also while one of the partitions is closed.
        """
        if len(keys) == 1:  # as for each join and send: without a task
            return {key: await self.find(key) for key in keys}
        found = await asyncio.gather(*(self.find(key) for key in keys))
        return dict(zip(keys, found, strict=True))

    async def create(self, created: RoomCreated, seen: NotHeld) -> Room | Literal["stale"]:
        """Create a room whose key neither the broker nor SQL has.

        Args:
            created: the creation.
            seen: the answer of `find` before SQL was read.

        Returns:
            The new room, or "stale" if SQL's answer may be out of date: begin with `find` again.

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
                raise ChatError("overloaded", "too many messages wait to be stored, try again")
            case _:
                return "stale"

    async def open(self, room: Room, active_at: int, seen: NotHeld) -> bool:
        """Let the broker hold a room that SQL has.

        Args:
            room: the room as SQL has it.
            active_at: the time of its last event, milliseconds since 1970.
            seen: the answer of `find` before SQL was read.

        Returns:
            False if SQL's answer may be out of date: begin with `find` again.

        Raises:
            ChatError: `broker_unavailable`.
        """
        part = self._keys.of(room.key)
        # Each epoch since the last stored event may have given seqs to events that were lost, at
        # most FENCE_GAP - 1 of them. Example: the last stored event is seq 40 of epoch 5, and the
        # partition is in epoch 7. Epoch 5 may have given 41 and more, and so may epoch 6: the next
        # seq is 40 + 2 * FENCE_GAP + 1. With `epoch` unchanged since, nothing is skipped.
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
        """Find an event of the stream by its id; return the room's key and the event, or None.

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
                continue  # another event of the same row, which will be a dead letter
            if event.id == event_id:
                return entry.room_key, event
        return None

    async def events(self, ids: Collection[int]) -> list[tuple[str, Event] | None]:
        """Do the same as `event` for many ids in one round, in their order."""
        return await asyncio.gather(*(self.event(each) for each in ids))

    async def held_chats(self, *users: str) -> list[str]:
        """Keys of the held direct chats of any of these users. Others are in SQL only.

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
        """Keys of rooms that SQL may not have yet, sorted, beginning after the key `after`.

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
