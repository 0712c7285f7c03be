"""Salvage of a batch that SQL refused as a whole.

The entries with bad data are found by halving the batch, tried again, and set aside as dead
letters, with a void row at their seq.
"""

from typing import Final

from persister.batch import Batch, Unreadable, empty_batch, make_batch, void_batch
from persister.writer import Claim, Refused, Writer
from shared.broker.partitions.rows import Entry
from shared.broker.partitions.stream import DeadLetters
from shared.broker.rooms.publisher import Publisher
from shared.broker.rooms.send import RoomNotHeld
from shared.codec import CodecError, decode
from shared.errors import ChatError
from shared.metrics import Counter
from shared.model.events import Event
from shared.model.log_events import MessageDeleted, MessagePosted
from shared.telemetry import logger

MAX_TRIES: Final = 5
"""Tries of a single entry before it is set aside."""

DEAD_LETTERS: Final = Counter("dead_letters", "Entries set aside because SQL refused them.")

log = logger(__name__)


class BatchSalvage:
    """Stores the good entries of a batch that was refused as a whole."""

    def __init__(self, writer: Writer, dead_letters: DeadLetters, publisher: Publisher) -> None:
        self._writer = writer
        self._publisher = publisher
        self._dead_letters = dead_letters

    async def store(self, claim: Claim, entries: list[Entry]) -> list[Batch]:
        """Store all entries that SQL accepts, in order, in smaller transactions.

        Returns:
            The stored batches, for trimming.

        Raises:
            LostPartition, OUTAGE: as `Writer.store`. Batches that were committed stay so, and the
                claim's position is that of the last one.
        """
        if len(entries) == 1:
            return [await self._store_one(claim, entries[0])]
        middle = len(entries) // 2
        stored = []
        for half in (entries[:middle], entries[middle:]):
            try:
                stored.append(await self._store_whole(claim, half))
            except (Refused, Unreadable):
                stored += await self.store(claim, half)
        return stored

    async def _store_whole(self, claim: Claim, entries: list[Entry]) -> Batch:
        batch = make_batch(entries, claim.epoch)
        await self._writer.store([(claim, batch)])
        return batch

    async def _store_one(self, claim: Claim, entry: Entry) -> Batch:
        reason = ""
        for _ in range(MAX_TRIES):
            try:
                return await self._store_whole(claim, [entry])
            except (Refused, Unreadable) as error:
                reason = str(error)
        await self._set_aside(claim, entry, reason)
        void = void_batch(entry, claim.epoch)
        try:
            await self._writer.store([(claim, void)])
        except Refused:
            # Another row has its seq, too: only the position moves on.
            bare = empty_batch(entry)
            await self._writer.store([(claim, bare)])
            return bare
        return void

    async def _set_aside(self, claim: Claim, entry: Entry, reason: str) -> None:
        """Add an entry to the dead letters, or delete it for clients if it is a duplicate send.

        A duplicate is a message that SQL has under another id. This happens before the position
        moves. After a crash in between it is repeated, and repeating has no further effect.
        """
        event = _posted(entry)
        room = await self._writer.room_of_duplicate(event) if event else None
        if event is None or room is None:
            log.error("entry set aside", partition=claim.number, entry=entry.counter, reason=reason)
            DEAD_LETTERS.value += 1
            await self._dead_letters.add(claim.number, entry, reason)
            return
        log.warning("duplicate send not stored", partition=claim.number, entry=entry.counter)
        deleted = MessageDeleted("", event.id, event.seq)
        try:
            await self._publisher.send(room, "", f"void {event.id}", deleted)
        except (ChatError, RoomNotHeld) as error:
            # The partition is closed. When it opens, clients resume its rooms without the message.
            log.warning(
                "deletion of a duplicate not published", entry=entry.counter, error=str(error)
            )


def _posted(entry: Entry) -> Event | None:
    """The event of an entry, if it is a message."""
    try:
        event = decode(entry.data)
    except CodecError:
        return None
    return event if isinstance(event.body, MessagePosted) else None
