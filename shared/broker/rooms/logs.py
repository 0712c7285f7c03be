"""Room logs in the broker: reading a part of a log, its tail, or the heads of rooms."""

from collections.abc import Sequence
from typing import Any, Final, Literal

from shared import codec
from shared.broker.partitions.fence import Fence
from shared.broker.partitions.keyspace import Keyspace
from shared.broker.rooms.answers import MAX_GONE_SEQS, LogPart, MessagePart, Tail
from shared.broker.rooms.records import read_moves
from shared.broker.transport.client import Client, Script, unavailable_as_error
from shared.broker.transport.pipe import Pipe, PipedScript
from shared.broker.transport.resp import Word
from shared.errors import broker_unavailable
from shared.model.events import Event
from shared.model.ids import TOP
from shared.model.rooms import Room
from shared.model.timeline import Changes, Move
from shared.protocol.limits import MAX_PAGE_BYTES

MAX_ENTRIES_READ: Final = 1000
"""Entries of a log that one call looks at. The broker serves nobody else meanwhile."""

Direction = Literal["forward", "backward"]


class LogBroker:
    """The logs of all rooms."""

    def __init__(self, client: Client, reads: Pipe, keys: Keyspace, fence: Fence) -> None:
        """Prepare.

        Args:
            client: reads heads.
            reads: the pipe for logs and tails, which every join, resume and list of chats reads. It
                is not the pipe of sends, which long answers would delay.
            keys: the installation's keys.
            fence: the epochs that this process has seen.
        """
        self._keys = keys
        self._fence = fence
        self._read_log = PipedScript(reads, "read_log")
        self._read_messages = PipedScript(reads, "read_messages")
        self._read_gone = PipedScript(reads, "read_gone")
        self._read_tail = PipedScript(reads, "read_tail")
        self._heads = Script(client, "read_heads")

    async def read_log(self, key: str, *, lowest: int = 0, limit: int) -> LogPart | None:
        """Read the first events of a room's log from a seq on, deleted messages too.

        Args:
            key: the room's key.
            lowest: the lowest seq to read.
            limit: the maximum number of events.

        Returns:
            None if the room is not held.

        Raises:
            ChatError: `broker_unavailable`.
        """
        answer = await self._ask(self._read_log, key, lowest, limit)
        if not answer:
            return None
        epoch, room_id, head, floor, envelopes, gone, is_complete = answer
        return LogPart(
            *(int(epoch), int(room_id), int(head), int(floor)),
            [codec.decode(data) for data in envelopes],
            frozenset(map(int, gone)),
            None if is_complete else int(gone[-1]),
        )

    async def read_messages(
        self, key: str, direction: Direction, lowest: int, highest: int, limit: int, deleted: int
    ) -> MessagePart | None:
        """Read messages of a room's log that are not deleted, from `MAX_ENTRIES_READ` entries.

        Fewer are read where they have `MAX_PAGE_BYTES` before.

        Args:
            key: the room's key.
            direction: `forward` begins at the lowest seq, `backward` at the highest.
            lowest: the lowest seq to read.
            highest: the highest seq to read.
            limit: the maximum number of messages.
            deleted: of so many messages that come first, deleted ones are read too. Give 0 to go on
                with a page; then moves of cursors are left out, too.

        Returns:
            None if the room is not held.

        Raises:
            ChatError: `broker_unavailable`.
        """
        bounds = (direction, lowest, highest)
        limits = (limit, deleted, MAX_ENTRIES_READ, MAX_GONE_SEQS, MAX_PAGE_BYTES)
        answer = await self._ask(self._read_messages, key, *bounds, *limits)
        if not answer:
            return None
        epoch, room_id, head, floor, envelopes, gone, moves, edges, more, beside = answer
        first, first_prev, last, last_prev = map(int, edges) if edges else (0, 0, 0, 0)
        return MessagePart(
            *(int(epoch), int(room_id), int(head), int(floor)),
            [codec.decode(data) for data in envelopes],
            Changes(frozenset(map(int, gone)), read_moves(moves)),
            *(first, first_prev, last, last_prev),
            bool(more),
            [int(seq) for seq in beside],
        )

    async def read_gone(
        self, room: Room, direction: Direction, lowest: int, highest: int
    ) -> list[int]:
        """Read up to `MAX_GONE_SEQS` seqs of deleted messages of a range, in that direction.

        There are none where the broker does not hold the room: SQL has all of it then.

        Raises:
            ChatError: `broker_unavailable`.
        """
        bounds = (direction, lowest, highest, MAX_GONE_SEQS)
        answer = await self._ask(self._read_gone, room.key, *bounds)
        if not answer or int(answer[0]) != room.id:
            return []
        return [int(seq) for seq in answer[1]]

    async def read_tail(self, key: str, user: str) -> Tail | None:
        """Read the tail of a chat and a user's cursor; None if the chat is not held.

        Raises:
            ChatError: `broker_unavailable`.
        """
        unread: list[int] = []
        last: Event | None = None
        moves: tuple[Move, ...] = ()
        below, is_first = TOP, True
        while True:
            question = (user, below - 1, int(last is None), int(is_first))
            answer = await self._ask(
                self._read_tail, key, *question, MAX_ENTRIES_READ, MAX_GONE_SEQS
            )
            if not answer:
                return None
            room_id, floor, cursor, seqs, envelope, lowest, more, gone, words = answer
            unread += map(int, seqs)
            last = last or (codec.decode(envelope) if envelope else None)
            moves = read_moves(words) if is_first else moves
            below, is_first = int(lowest) or below, False
            if not more:
                return Tail(
                    room_id=int(room_id),
                    floor=int(floor),
                    cursor=int(cursor) if cursor else None,
                    unread=unread,
                    last=last,
                    below=below,
                    gone_below=[int(seq) for seq in gone],
                    moves=moves,
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

    async def _ask(self, script: PipedScript, key: str, *arguments: Word) -> Any:  # noqa: ANN401 - each script answers differently
        """Run a script that reads a room, and raise `broker_unavailable` if it cannot be read."""
        part = self._keys.of(key)
        with unavailable_as_error():
            answer = await script(
                [part.record, part.room(key), *part.all_of_room(key)],
                [*arguments, self._fence.epoch(part.number)],
            )
        if answer is None:
            raise broker_unavailable()
        return answer
