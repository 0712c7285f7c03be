"""Rooms in the broker: find one, make one, open one again from SQL, read its log."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from shared import codec
from shared.broker.client import Client, Script, unavailable_as_error
from shared.broker.keys import PartitionKeys
from shared.config import FENCE_GAP
from shared.errors import ChatError, broker_unavailable
from shared.model.events import Event, RoomCreated
from shared.model.ids import partition_of_key
from shared.model.rooms import Room


class NotHeld(msgspec.Struct, frozen=True):
    """The broker does not hold the room: everything there is of it is in SQL, as of now."""

    epoch: int
    generation: int


class LogPart(msgspec.Struct, frozen=True):
    """A part of a room's log, oldest first, and where the room stood when it was read."""

    epoch: int
    room_id: int
    head: int
    floor: int
    events: list[Event]


class RoomBroker:
    """The rooms of all partitions."""

    def __init__(self, client: Client, partitions: int, max_backlog: int) -> None:
        self._client = client
        self._partitions = partitions
        self._max_backlog = max_backlog
        self._find = Script(client, "find_room")
        self._create = Script(client, "create_room")
        self._open = Script(client, "open_room")
        self._read_log = Script(client, "read_log")

    def keys_of(self, key: str) -> PartitionKeys:
        """The partition that a room's key belongs to."""
        return PartitionKeys(partition_of_key(key, self._partitions))

    def channel(self, key: str) -> str:
        """The channel of a room."""
        return self.keys_of(key).channel(key)

    async def find(self, key: str) -> Room | NotHeld:
        """Read a room's record.

        Raises:
            ChatError: `broker_unavailable`, also while the partition is closed.
        """
        part = self.keys_of(key)
        with unavailable_as_error():
            answer = await self._find([part.record, part.room(key)], [])
        if answer is None:
            raise broker_unavailable()
        epoch, generation, fields = int(answer[0]), int(answer[1]), answer[2]
        if not fields:
            return NotHeld(epoch, generation)
        room_id, kind, name, password, creator, created, head, floor = fields
        return Room(
            key=key,
            id=int(room_id),
            kind=kind.decode(),
            name=name.decode(),
            password_hash=password.decode(),
            creator=creator.decode(),
            created_at=int(created),
            head=int(head),
            floor=int(floor),
            epoch=epoch,
        )

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
        part = self.keys_of(created.key)
        record, log = part.room(created.key), part.log(created.key)
        with unavailable_as_error():
            answer = await self._create(
                [part.record, part.stream, record, log, part.held, part.unstored],
                [
                    *(seen.epoch, seen.generation, self._max_backlog),
                    *(created.key, created.kind, created.name, created.password_hash),
                    *(created.creator, codec.encode_body(created)),
                ],
            )
        match answer:
            case None:
                raise broker_unavailable()
            case [b"created", room_id, at]:
                return Room(
                    key=created.key,
                    id=room_id,
                    kind=created.kind,
                    name=created.name,
                    password_hash=created.password_hash,
                    creator=created.creator,
                    created_at=at,
                    head=0,
                    floor=0,
                    epoch=seen.epoch,
                )
            case [b"exists"]:
                raise ChatError("room_exists", "a room of this name exists")
            case [b"overloaded"]:
                raise ChatError("overloaded", "too much waits to be stored, try again")
            case _:
                return "stale"

    async def open(self, room: Room, seen: NotHeld) -> bool:
        """Hold a room that SQL has.

        Args:
            room: the room as SQL has it.
            seen: what `find` said before SQL was read.

        Returns:
            False when SQL's word may be out of date: find again.

        Raises:
            ChatError: `broker_unavailable`.
        """
        part = self.keys_of(room.key)
        # In an epoch of its own SQL has all that was given; after a fence more may have been.
        given = room.head if room.epoch == seen.epoch else room.head + FENCE_GAP
        with unavailable_as_error():
            answer = await self._open(
                [part.record, part.room(room.key), part.log(room.key), part.held],
                [
                    *(seen.epoch, seen.generation, room.key, room.id, room.kind, room.name),
                    *(room.password_hash, room.creator, room.created_at),
                    *(room.head, given, room.floor),
                ],
            )
        if answer is None:
            raise broker_unavailable()
        return bool(answer == b"open")

    async def read_log(
        self,
        key: str,
        direction: Literal["forward", "backward"],
        *,
        lowest: int = 0,
        highest: int | None = None,
        limit: int,
    ) -> LogPart | None:
        """Read events of a room's log.

        Args:
            key: the room's.
            direction: which end of the range matters when it holds more than `limit`.
            lowest: lowest seq wanted.
            highest: highest seq wanted; None for the newest.
            limit: events at the most.

        Returns:
            The events, oldest first either way, or None when the room is not held.

        Raises:
            ChatError: `broker_unavailable`.
        """
        part = self.keys_of(key)
        with unavailable_as_error():
            answer = await self._read_log(
                [part.record, part.room(key), part.log(key)],
                [direction, lowest, "+" if highest is None else highest, limit],
            )
        if answer is None:
            raise broker_unavailable()
        if not answer:
            return None
        epoch, room_id, head, floor, envelopes = answer
        events = [codec.decode(data) for data in envelopes]
        if direction == "backward":
            events.reverse()
        return LogPart(int(epoch), int(room_id), int(head), int(floor), events)

    async def unstored(self, after: str, limit: int) -> Sequence[str]:
        """Keys of rooms that SQL may not have yet, by name, after the key `after`.

        Raises:
            ChatError: `broker_unavailable`.
        """
        with unavailable_as_error():
            async with self._client.pipeline(transaction=False) as pipeline:
                for number in range(self._partitions):
                    part = PartitionKeys(number)
                    pipeline.zrangebylex(part.unstored, f"({after}", "+", 0, limit)
                found: list[list[bytes]] = await pipeline.execute()
        return sorted(key.decode() for keys in found for key in keys)[:limit]
