"""Writing to SQL: rows and the partition's position in one transaction."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import bindparam, func, select, update
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from persister.batch import Batch
from shared.storage.tables import events, partitions, rooms

OUTAGE = (DBAPIError, OSError, TimeoutError)
"""Failures of the database where they are no `Refused`: no entry is blamed for them."""


class Refused(Exception):
    """SQL refuses the data of at least one entry of a batch."""


class LostPartition(Exception):
    """Another owner has the partition: nothing of the transaction was written."""

    def __init__(self, number: int) -> None:
        super().__init__(f"partition {number} has another owner")
        self.number = number


class Claim(msgspec.Struct, eq=False):
    """A partition that this process owns.

    Attributes:
        owner: this process's incarnation, as SQL has it.
        position: the counter of the last entry stored.
    """

    number: int
    owner: str
    epoch: int
    position: int


_FLOOR = (
    update(rooms)
    .where(rooms.c.id == bindparam("room"), rooms.c.floor < bindparam("to"))
    .values(floor=bindparam("to"))
)
_FORGET = (
    update(events)
    .where(
        events.c.room_id == bindparam("room"),
        events.c.seq < bindparam("to"),
        events.c.kind == "message",
        events.c.deleted.is_(False),
    )
    .values(content=None, deleted=True)
)
_MOVE = (
    update(partitions)
    .where(
        partitions.c.number == bindparam("n"),
        partitions.c.owner == bindparam("by"),
        partitions.c.epoch == bindparam("in_epoch"),
        partitions.c.position == bindparam("since"),
    )
    .values(position=bindparam("now"), epoch=bindparam("to_epoch"))
)


class Writer:
    """The only one that writes."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def claim(self, number: int, owner: str) -> Claim:
        """Shut out every other owner of a partition, and learn where it stands."""
        async with self._engine.begin() as connection:
            mine = partitions.c.number == number
            await connection.execute(update(partitions).where(mine).values(owner=owner))
            row = (await connection.execute(select(partitions).where(mine))).one()
        return Claim(number, owner, row.epoch, row.position)

    async def store(self, batches: Sequence[tuple[Claim, Batch]]) -> None:
        """Write the rows of some partitions and their positions, all or nothing.

        The claims' positions move when it is committed.

        Raises:
            LostPartition: a claim is void.
            Refused: SQL does not take the data.
            OUTAGE: it may be tried again as it is.
        """
        try:
            async with self._engine.begin() as connection:
                for claim, batch in batches:
                    await _move(connection, claim, batch.position, claim.epoch)
                await _insert(connection, [batch for _, batch in batches])
        except (IntegrityError, DataError) as error:
            raise Refused(str(error.orig)) from error
        except DBAPIError:
            raise
        except (StatementError, OverflowError, UnicodeError) as error:
            raise Refused(str(error)) from error
        for claim, batch in batches:
            claim.position = batch.position

    async def check(self, claim: Claim) -> None:
        """Make sure that a claim still stands.

        Raises:
            LostPartition: it does not.
        """
        async with self._engine.begin() as connection:
            await _move(connection, claim, claim.position, claim.epoch)

    async def known_rooms(self, keys: Sequence[str]) -> list[str]:
        """Those of `keys` that are rooms in SQL."""
        async with self._engine.begin() as connection:
            query = select(rooms.c.key).where(rooms.c.key.in_(keys))
            return list((await connection.execute(query)).scalars())

    async def raise_epoch(self, claim: Claim, start: int) -> None:
        """Begin a new epoch of a partition: what an earlier owner or epoch still sends fails.

        Args:
            claim: moves to the new epoch when it is committed.
            start: the position from which the new epoch counts.

        Raises:
            LostPartition: the claim is void.
        """
        async with self._engine.begin() as connection:
            await _move(connection, claim, start, claim.epoch + 1)
        claim.epoch, claim.position = claim.epoch + 1, start

    async def restore(self, row: dict[str, object]) -> None:
        """Put a row where a void stands for it.

        Raises:
            Refused: SQL still does not take it.
        """
        place = (events.c.room_id == row["room_id"]) & (events.c.seq == row["seq"])
        try:
            async with self._engine.begin() as connection:
                floor = select(func.max(rooms.c.floor)).where(rooms.c.id == row["room_id"])
                known = (await connection.execute(floor)).scalar_one_or_none() or 0
                if int(str(row["seq"])) <= known:
                    return  # everything up to here was deleted meanwhile
                await connection.execute(
                    update(events).where(place, events.c.kind == "void").values(row)
                )
        except (IntegrityError, DataError) as error:
            raise Refused(str(error.orig)) from error

    async def restore_room(self, row: dict[str, object]) -> None:
        """Store the creation of a room that was set aside.

        Raises:
            Refused: SQL still does not take it.
        """
        try:
            async with self._engine.begin() as connection:
                await connection.execute(rooms.insert().values(row))
        except (IntegrityError, DataError) as error:
            raise Refused(str(error.orig)) from error


async def _move(connection: AsyncConnection, claim: Claim, position: int, epoch: int) -> None:
    values = {"n": claim.number, "by": claim.owner, "in_epoch": claim.epoch}
    values |= {"since": claim.position, "now": position, "to_epoch": epoch}
    moved = await connection.execute(_MOVE, values)
    if moved.rowcount != 1:
        raise LostPartition(claim.number)


async def _insert(connection: AsyncConnection, batches: Sequence[Batch]) -> None:
    if new_rooms := [row for batch in batches for row in batch.rooms]:
        await connection.execute(rooms.insert(), new_rooms)
    if new_events := [row for batch in batches for row in batch.events]:
        await connection.execute(events.insert(), new_events)
    floors = [{"room": room, "to": seq} for batch in batches for room, seq in batch.floors.items()]
    if floors:
        await connection.execute(_FLOOR, floors)
        await connection.execute(_FORGET, floors)
