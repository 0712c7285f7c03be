"""Rooms' logs in the broker: a part of one, its tail, where it stands."""

from collections.abc import Sequence
from typing import Literal

from shared import codec
from shared.broker.partitions.fence import Fence
from shared.broker.partitions.keyspace import Keyspace
from shared.broker.rooms.answers import LogPart, Tail
from shared.broker.rooms.records import read_moves
from shared.broker.transport.client import Client, Script, unavailable_as_error
from shared.broker.transport.pipe import Pipe, PipedScript
from shared.errors import broker_unavailable
from shared.model.timeline import Changes


class LogBroker:
    """The logs of all rooms."""

    def __init__(self, client: Client, reads: Pipe, keys: Keyspace, fence: Fence) -> None:
        """Take what leads to the broker.

        Args:
            client: for tails and heads.
            reads: for logs, which each join and resume reads, at a tenth of the CPU. Not the pipe
                of sends: an answer may be long.
            keys: of the installation.
            fence: what this process has seen of the partitions.
        """
        self._keys = keys
        self._fence = fence
        self._read_log = PipedScript(reads, "read_log")
        self._read_tail = Script(client, "read_tail")
        self._heads = Script(client, "read_heads")

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
        part = self._keys.of(key)
        with unavailable_as_error():
            answer = await self._read_log(
                [part.record, part.room(key), *part.all_of_room(key)],
                [
                    *(direction, lowest, "+" if highest is None else highest, limit),
                    self._fence.epoch(part.number),
                ],
            )
        if answer is None:
            raise broker_unavailable()
        if not answer:
            return None
        epoch, room_id, head, floor, envelopes, gone, moves = answer
        events = [codec.decode(data) for data in envelopes]
        if direction == "backward":
            events.reverse()
        changes = Changes(frozenset(map(int, gone)), read_moves(moves))
        return LogPart(int(epoch), int(room_id), int(head), int(floor), events, changes)

    async def read_tail(self, key: str, user: str) -> Tail | None:
        """Read what SQL may not have of a room yet, and a user's cursor; None when not held.

        Raises:
            ChatError: `broker_unavailable`.
        """
        part = self._keys.of(key)
        with unavailable_as_error():
            answer = await self._read_tail(
                [part.record, part.room(key), *part.all_of_room(key)],
                [user, self._fence.epoch(part.number)],
            )
        if answer is None:
            raise broker_unavailable()
        if not answer:
            return None
        room_id, _, floor, cursor, envelopes, gone, moves = answer
        return Tail(
            int(room_id),
            int(floor),
            int(cursor) if cursor else None,
            [codec.decode(data) for data in reversed(envelopes)],
            Changes(frozenset(map(int, gone)), read_moves(moves)),
        )

    async def heads(self, keys: Sequence[str]) -> list[int]:
        """Where rooms of one partition stand; 0 for one that is not held.

        Raises:
            ChatError: `broker_unavailable`.
        """
        part = self._keys.of(keys[0])
        with unavailable_as_error():
            heads = await self._heads(
                [part.record, *(part.room(key) for key in keys)], [self._fence.epoch(part.number)]
            )
        if heads is None:
            raise broker_unavailable()
        return [int(head) for head in heads]
