"""Writes to SQL: a batch's rows and its partition's position, in one transaction."""

from collections.abc import Sequence
from functools import cache
from typing import Final, NoReturn

import msgspec
from sqlalchemy import Update, bindparam, case, or_, select, update
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from persister.batch import Batch
from persister.rows import (
    SeqTakenError,
    apply_changes,
    insert_events,
    insert_rooms,
    insert_users,
    replace_void,
    users_of,
    without_stored_rooms,
)
from shared.config import Settings
from shared.model.events import Event
from shared.model.log_events import MessagePosted
from shared.model.rooms import Room
from shared.storage.engine import open_engine
from shared.storage.forms import fill_rooms
from shared.storage.reader import room_of
from shared.storage.tables import ROOM_COLUMNS, Number, events, partitions, rooms

OUTAGE = (DBAPIError, OSError, TimeoutError)
"""Failures of the database itself. Errors in the data of an entry are `Refused`."""


MAX_KNOWN_USERS: Final = 50_000
"""Users who are remembered as stored, so that not each of their messages asks SQL to add them."""


def writing_engine(settings: Settings) -> AsyncEngine:
    """Open the database for writing."""
    return open_engine(settings.database, writes=True, synchronous=settings.sqlite_synchronous)


class Refused(Exception):
    """SQL refused the data of at least one entry of a batch."""


class LostPartition(Exception):
    """Another owner has the partition. Nothing of the transaction was written."""

    def __init__(self, number: int) -> None:
        super().__init__(f"partition {number} has another owner")
        self.number = number


class Claim(msgspec.Struct, eq=False):
    """A partition that this process owns.

    Attributes:
        owner: this process's incarnation.
        epoch: the partition's epoch.
        position: the counter of the last stored entry.
        format: the format of the epoch, as SQL has it.
    """

    number: int
    owner: str
    epoch: int
    position: int
    format: int


@cache
def _move_statement(count: int) -> Update:
    """Make the UPDATE that moves the positions and epochs of `count` partitions.

    It is one statement, as a statement costs as much as many rows. Each partition is matched by its
    owner, epoch and position, and all three are needed. Two tries of one owner in one epoch differ
    only in the position. Example: a commit from 40 to 50 succeeds and its answer is lost, so the
    batch is tried again. The position in SQL is 50 now: the UPDATE matches nothing, the rows are
    not written twice, and the partition is claimed again.
    """
    mine, positions, epochs = [], [], []
    for n in range(count):
        number = partitions.c.number == bindparam(f"number{n}")
        mine.append(
            number
            & (partitions.c.owner == bindparam(f"owner{n}"))
            & (partitions.c.epoch == bindparam(f"epoch{n}"))
            & (partitions.c.position == bindparam(f"position{n}"))
        )
        positions.append((number, bindparam(f"to_position{n}", type_=Number)))
        epochs.append((number, bindparam(f"to_epoch{n}", type_=Number)))
    moved = {"position": case(*positions), "epoch": case(*epochs)}
    return update(partitions).where(or_(*mine)).values(moved)


class _ClaimsLost(Exception):
    """At least one of several claims is no longer valid."""


Move = tuple[Claim, int, int]
"""A claim, and the new position and epoch of its partition."""


class Writer:
    """Writes to SQL. Nothing else in the system does."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._known_users: dict[str, int] = {}

    async def claim(self, number: int, owner: str) -> Claim:
        """Become the owner of a partition, and read its epoch, position and format.

        From then on transactions of the former owner fail. If that was of an older build, its rooms
        lack the forms of their names.
        """
        async with self._engine.begin() as connection:
            mine = partitions.c.number == number
            await connection.execute(update(partitions).where(mine).values(owner=owner))
            row = (await connection.execute(select(partitions).where(mine))).one()
            await connection.run_sync(fill_rooms)
        return Claim(number, owner, row.epoch, row.position, row.format)

    async def store(self, batches: Sequence[tuple[Claim, Batch]]) -> None:
        """Write batches of some partitions and their positions, all or nothing.

        The claims' positions move after the commit.

        Raises:
            LostPartition: a claim is no longer valid.
            Refused: SQL refused the data.
            OUTAGE: the database failed; the same call may be repeated.
        """
        written = [batch for _, batch in batches]
        new_users = users_of(written, self._known_users)
        try:
            async with self._engine.begin() as connection:
                await _move(connection, [(c, batch.position, c.epoch) for c, batch in batches])
                await insert_users(connection, new_users)
                await insert_rooms(connection, written)
                await insert_events(connection, written)
                await apply_changes(connection, written)
        except _ClaimsLost:
            await self._find_lost([claim for claim, _ in batches])
        except (IntegrityError, DataError) as error:
            raise Refused(str(error.orig)) from error
        except DBAPIError:
            raise
        except (StatementError, OverflowError, UnicodeError) as error:
            raise Refused(str(error)) from error
        for claim, batch in batches:
            claim.position = batch.position
        if len(self._known_users) + len(new_users) > MAX_KNOWN_USERS:
            self._known_users.clear()
        self._known_users.update(new_users)

    async def _find_lost(self, claims: Sequence[Claim]) -> NoReturn:
        for claim in claims:
            await self.check(claim)
        # All claims are valid now. The commit of an earlier try may have moved a position; a new
        # claim reads it from SQL.
        raise LostPartition(claims[0].number)

    async def check(self, claim: Claim) -> None:
        """Check that a claim is still valid.

        Raises:
            LostPartition: the claim is no longer valid.
        """
        async with self._engine.begin() as connection:
            await _move(connection, [(claim, claim.position, claim.epoch)])

    async def known_rooms(self, keys: Sequence[str]) -> list[str]:
        """Return those of `keys` whose rooms are in SQL."""
        async with self._engine.begin() as connection:
            query = select(rooms.c.key).where(rooms.c.key.in_(keys))
            return list((await connection.execute(query)).scalars())

    async def room_of_duplicate(self, event: Event) -> Room | None:
        """Return the room of a message that SQL has under another id; None if it has not."""
        if not isinstance(event.body, MessagePosted):
            return None
        query = (
            select(*ROOM_COLUMNS)
            .join(events, events.c.room_id == rooms.c.id)
            .where(
                rooms.c.id == event.room_id,
                events.c.sender == event.body.sender,
                events.c.client_msg_id == event.body.client_msg_id,
                events.c.id != event.id,
            )
        )
        try:
            async with self._engine.begin() as connection:
                for row in await connection.execute(query):
                    return room_of(row)
        except (OverflowError, UnicodeError):
            pass  # values that SQL cannot even compare with are not stored
        return None

    async def raise_epoch(self, claim: Claim, start: int, written_in: int) -> None:
        """Begin a new epoch of a partition. Later batches of earlier owners or epochs fail.

        Args:
            claim: the partition's claim; it moves to the new epoch after the commit.
            start: the position from which the new epoch counts.
            written_in: the format of the new epoch.

        Raises:
            LostPartition: the claim is no longer valid.
        """
        async with self._engine.begin() as connection:
            await _move(connection, [(claim, start, claim.epoch + 1)])
            mine = partitions.c.number == claim.number
            await connection.execute(update(partitions).where(mine).values(format=written_in))
        claim.epoch, claim.position, claim.format = claim.epoch + 1, start, written_in

    async def restore(self, batch: Batch) -> None:
        """Store a batch of entries that were set aside, each event in place of its void.

        Raises:
            Refused: SQL refused it again.
        """
        try:
            async with self._engine.begin() as connection:
                await insert_users(connection, users_of([batch], {}))
                await insert_rooms(connection, [await without_stored_rooms(connection, batch)])
                for row in batch.events:
                    await replace_void(connection, row)
                await apply_changes(connection, [batch])
        except (IntegrityError, DataError) as error:
            raise Refused(str(error.orig)) from error
        except SeqTakenError as error:
            raise Refused(str(error)) from error


async def _move(connection: AsyncConnection, moves: Sequence[Move]) -> None:
    values: dict[str, object] = {}
    for n, (claim, position, epoch) in enumerate(moves):
        values |= {f"number{n}": claim.number, f"owner{n}": claim.owner}
        values |= {f"epoch{n}": claim.epoch, f"position{n}": claim.position}
        values |= {f"to_epoch{n}": epoch, f"to_position{n}": position}
    moved = await connection.execute(_move_statement(len(moves)), values)
    if moved.rowcount != len(moves):
        raise LostPartition(moves[0][0].number) if len(moves) == 1 else _ClaimsLost
