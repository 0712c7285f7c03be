"""Room logs in the broker: reading a part of a log, its tail, or the heads of rooms."""

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
        """Prepare.

        Args:
            client: reads tails and heads.
            reads: the pipe for logs, which every join and resume reads. It is not the pipe of
                sends, which long answers would delay.
            keys: the installation's keys.
            fence: the epochs that this process has seen.
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
            key: the room's key.
            direction: if the range holds more than `limit` events, `forward` returns the oldest
                of them and `backward` the newest.
            lowest: the lowest seq to read.
            highest: the highest seq to read; None for the newest.
            limit: the maximum number of events.

        Returns:
            The events, oldest first for both directions; None if the room is not held.

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
        """Read the tail of a room and a user's cursor; None if the room is not held.

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
        """Read the heads of rooms of one partition, in the order of `keys`; 0 if not held.

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
