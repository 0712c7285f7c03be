"""Cursors in the broker: how far a user has seen a room; moving one, reading those of a room."""

from typing import Literal

import msgspec

from shared.broker.partitions.fence import Fence
from shared.broker.partitions.keyspace import Keyspace
from shared.broker.rooms.send import RoomNotHeld
from shared.broker.transport.client import Client, Script, unavailable_as_error
from shared.broker.transport.pipe import Pipe, PipedScript
from shared.config import Settings
from shared.errors import ChatError, broker_unavailable
from shared.model.rooms import Room


class MoveResult(msgspec.Struct, frozen=True):
    """Where a cursor is after a move.

    Attributes:
        status: `unknown` when SQL must be asked where it is, and the move tried again.
    """

    status: Literal["moved", "unmoved", "unknown"]
    seq: int


class CursorBroker:
    """The cursors of all rooms."""

    def __init__(
        self, client: Client, reads: Pipe, keys: Keyspace, fence: Fence, settings: Settings
    ) -> None:
        """Take what leads to the broker.

        Args:
            client: for moves.
            reads: for what each resume reads. Not the pipe of sends: an answer may be long.
            keys: of the installation.
            fence: what this process has seen of the partitions.
            settings: MAX_BACKLOG and WAKE_AFTER.
        """
        self._keys = keys
        self._fence = fence
        self._max_backlog = settings.backlog_of(len(keys))
        self._quiet_ms = int(settings.wake_after * 1000)
        self._move = Script(client, "move_cursor")
        self._read = PipedScript(reads, "read_cursors")

    async def move(
        self, room: Room, user: str, seq: int, *, stored: int | None, message_id: int, origin: str
    ) -> MoveResult:
        """Move a cursor forward to `seq`, or to the head if that is before it.

        Args:
            room: the room.
            user: whose cursor.
            seq: how far they have seen.
            stored: the cursor as SQL has it, where that was asked.
            message_id: the message that was marked, or 0.
            origin: the sid of the connection that moves it.

        Raises:
            RoomNotHeld: open the room first.
            ChatError: `not_found` when the room is gone, `overloaded`, `broker_unavailable`.
        """
        part, key = self._keys.of(room.key), room.key
        with unavailable_as_error():
            answer = await self._move(
                [
                    *(part.record, part.stream, part.channel(key)),
                    *(part.room(key), *part.all_of_room(key), part.control),
                ],
                [
                    *(self._max_backlog, room.id, user, seq),
                    "" if stored is None else stored,
                    *(message_id, origin, key if room.kind == "direct" else "", self._quiet_ms),
                    self._fence.epoch(part.number),
                ],
            )
        match answer:
            case None:
                raise broker_unavailable()
            case [b"moved" | b"unmoved" | b"unknown" as status, place]:
                return MoveResult(status.decode(), place)
            case [b"absent", _]:
                raise RoomNotHeld
            case [b"overloaded", _]:
                raise ChatError("overloaded", "too much waits to be stored, try again")
            case _:
                raise ChatError("not_found", "there is no such chat any more")

    async def read(self, key: str) -> tuple[int, dict[str, int]]:
        """The epoch, and the cursors of a room that moved since the broker holds it, by user.

        Raises:
            ChatError: `broker_unavailable`, also while the partition is closed.
        """
        part = self._keys.of(key)
        with unavailable_as_error():
            answer = await self._read(
                [part.record, part.room(key), part.cursors(key)], [self._fence.epoch(part.number)]
            )
        if answer is None:
            raise broker_unavailable()
        epoch, words = answer
        users, seqs = words[::2], words[1::2]
        return int(epoch), {user.decode(): int(seq) for user, seq in zip(users, seqs, strict=True)}
