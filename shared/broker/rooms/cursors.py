"""Read cursors in the broker: moving a user's cursor, and reading the cursors of a room."""

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
    """The position of a cursor after a move.

    Attributes:
        status: `unknown` if the cursor must be read from SQL and the move repeated with it.
    """

    status: Literal["moved", "unmoved", "unknown"]
    seq: int


class CursorBroker:
    """The cursors of all rooms."""

    def __init__(
        self, client: Client, reads: Pipe, keys: Keyspace, fence: Fence, settings: Settings
    ) -> None:
        """Prepare.

        Args:
            client: runs moves.
            reads: the pipe for reading. It is not the pipe of sends, which long answers would
                delay.
            keys: the installation's keys.
            fence: the epochs that this process has seen.
            settings: MAX_BACKLOG and WAKE_AFTER are used.
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
            room: the room of the cursor.
            user: the user whose cursor moves.
            seq: the last seq that the user has seen.
            stored: the cursor as SQL has it; None before SQL was read.
            message_id: the message that was marked as seen, or 0.
            origin: the sid of the connection that moves the cursor.

        Raises:
            RoomNotHeld: open the room first.
            ChatError: `not_found` if the room was deleted, `overloaded`, `broker_unavailable`.
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
                raise ChatError("overloaded", "too many messages wait to be stored, try again")
            case _:
                raise ChatError("not_found", "this room or chat does not exist any more")

    async def read(self, key: str) -> tuple[int, dict[str, int]]:
        """Read the epoch, and by user the cursors of a room that moved since the broker holds it.

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
