"""The SQL statements of a batch, executed inside the writer's transaction."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Dialect, Insert, bindparam, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from persister.batch import Batch, Changed, EventRow, dropped_key
from shared.model.changes import SEQ, RoomChange, StandingChange, at
from shared.model.standings import STANDINGS
from shared.storage.forms import user_rows
from shared.storage.tables import VISIBLE, cursors, events, rooms, standings, users

# The parameters are not called as columns are: SQLAlchemy keeps those names for the SET clause.
_ROOM = events.c.room_id == bindparam("room")
_FLOOR = (
    update(rooms)
    .where(rooms.c.id == bindparam("room"), rooms.c.floor < bindparam("place"))
    .values(floor=bindparam("place"))
)
_FORGET_BELOW = (
    update(events)
    .where(_ROOM, events.c.seq < bindparam("place"), VISIBLE)
    .values(content=None, deleted=True)
)
_FORGET_ONE = (
    update(events)
    .where(_ROOM, events.c.seq == bindparam("place"), VISIBLE)
    .values(content=None, deleted=True)
)
_SEEN = (
    update(events)
    .where(
        _ROOM,
        events.c.seq > bindparam("since"),
        events.c.seq <= bindparam("place"),
        events.c.kind == "message",
        events.c.sender != bindparam("who"),
        events.c.seen_at.is_(None),
    )
    .values(seen_at=bindparam("moment"))
)


class SeqTakenError(Exception):
    """Another row has the seq of an event that was set aside."""


async def insert_rooms(connection: AsyncConnection, batches: Sequence[Batch]) -> None:
    """Free the keys of deleted rooms, then insert new rooms, which may have these keys."""
    dropped = [room for batch in batches for room in batch.dropped]
    if dropped:
        query = select(rooms.c.id, rooms.c.key).where(
            rooms.c.id.in_(dropped), rooms.c.deleted.is_(False)
        )
        for row in list(await connection.execute(query)):
            freed = dropped_key(row.key, row.id)
            await connection.execute(
                update(rooms).where(rooms.c.id == row.id).values(key=freed, deleted=True)
            )
    if created := [row for batch in batches for row in batch.rooms]:
        await connection.execute(rooms.insert(), created)


async def without_stored_rooms(connection: AsyncConnection, batch: Batch) -> Batch:
    """Return a batch without the rooms that an earlier try stored, as `replace_void` does for rows.

    Example: a retry of a dead letter that creates a room commits, and ends before it removes the
    letter. The next retry would be refused by the room's own row.
    """
    mine = rooms.c.id.in_([row["id"] for row in batch.rooms])
    found = await connection.execute(select(rooms.c.id, rooms.c.created_at).where(mine))
    there = {(row.id, row.created_at) for row in found}
    new = [row for row in batch.rooms if (row["id"], row["created_at"]) not in there]
    return msgspec.structs.replace(batch, rooms=new)


async def insert_events(connection: AsyncConnection, batches: Sequence[Batch]) -> None:
    """Insert events of room logs.

    It bypasses the parameter handling of SQLAlchemy Core, which costs as much as the database.
    """
    if rows := [row for batch in batches for row in batch.events]:
        await connection.exec_driver_sql(_insert_text(connection.dialect), rows)


def users_of(batches: Sequence[Batch], known: Mapping[str, int]) -> dict[str, int]:
    """The users in some batches who are not known.

    Args:
        batches: what is to be stored.
        known: as this returns it, of batches before.

    Returns:
        The time of the first entry of each; 0 for users who are only named.
    """
    found: dict[str, int] = {}

    def add(name: str | None, at: int) -> None:
        if name and not known.get(name) and not found.get(name):
            found[name] = at

    for batch in batches:
        for row in batch.events:
            add(row.sender, row.created_at)
            if row.target_user is not None and row.target_user not in known:
                add(row.target_user, 0)
        for move in batch.moves:
            add(str(move["who"]), int(str(move["moment"])))
        for room in batch.rooms:
            for name in (room["creator"], room["user1"], room["user2"]):
                add(str(name or ""), int(str(room["created_at"])))
    return found


async def insert_users(connection: AsyncConnection, found: Mapping[str, int]) -> None:
    """Insert users, where they are not there yet."""
    if found:
        insert: Any = _dialect(connection).insert(users)
        upsert = insert.on_conflict_do_update(
            index_elements=["name"],
            set_={"since": insert.excluded.since},
            where=(users.c.since == 0) & (insert.excluded.since > 0),
        )
        # In one order, as two persisters that insert the same users wait for each other.
        await connection.execute(upsert, user_rows(sorted(found.items())))


async def apply_changes(connection: AsyncConnection, batches: Sequence[Batch]) -> None:
    """Apply floors, deletions, cursors and other changes, and delete the rows of deleted rooms."""
    floors = [{"room": room, "place": seq} for b in batches for room, seq in b.floors.items()]
    if floors:
        await connection.execute(_FLOOR, floors)
        await connection.execute(_FORGET_BELOW, floors)
    if gone := [row for batch in batches for row in batch.gone]:
        await connection.execute(_FORGET_ONE, gone)
    if moves := [row for batch in batches for row in batch.moves]:
        await connection.execute(_upsert_cursor(connection), moves)
        if seen := [move for move in moves if move["direct"]]:
            await connection.execute(_SEEN, seen)
    for changed in [changed for batch in batches for changed in batch.changes]:
        await _apply(connection, changed)
    if dropped := [room for batch in batches for room in batch.dropped]:
        await connection.execute(delete(events).where(events.c.room_id.in_(dropped)))
        await connection.execute(delete(cursors).where(cursors.c.room_id.in_(dropped)))


@cache
def _insert_text(dialect: Dialect) -> str:
    return str(events.insert().compile(dialect=dialect))


async def _apply(connection: AsyncConnection, changed: Changed) -> None:
    """Change a room's fields or a user's standing. These changes are rare and made one by one.

    A change that was set aside and is restored late does not undo a later one: the columns with the
    seq of the last change guard it. Example: `ann` was banned at seq 10, which was set aside, and
    unbanned at 20. Restoring the ban finds seq 20 in her standing, and changes nothing.
    """
    room, seq, change = changed
    match change:
        case RoomChange(fields, secret):
            older = [rooms.c[name] < seq for name, value in fields.items() if value is SEQ]
            statement = update(rooms).where(rooms.c.id == room, *older)
            await connection.execute(statement.values(**at({**fields, **secret}, seq)))
        case StandingChange(user, fields):
            insert: Any = _dialect(connection).insert(standings)
            new = insert.values(room_id=room, user=user, seq=0, **dict.fromkeys(STANDINGS, 0))
            await connection.execute(new.on_conflict_do_nothing())
            mine = (standings.c.room_id == room) & (standings.c.user == user)
            statement = update(standings).where(mine, standings.c.seq < seq)
            await connection.execute(statement.values(**at(fields, seq), seq=seq))


async def replace_void(connection: AsyncConnection, row: EventRow) -> None:
    """Store an event that was set aside, in place of its void.

    There is no void for events of a row that could not be read; they are inserted. An event at or
    below the room's floor stays deleted.

    Raises:
        SeqTakenError: another event has its seq.
    """
    floor = select(func.max(rooms.c.floor)).where(rooms.c.id == row.room_id)
    known: int = (await connection.execute(floor)).scalar_one_or_none() or 0
    place = (events.c.room_id == row.room_id) & (events.c.seq == row.seq)
    if row.seq <= known:
        return
    # The void's epoch stays. The next seq of the room depends on the epoch of its last row (see
    # RoomBroker.open), and the epoch here is 0.
    values = {name: value for name, value in row._asdict().items() if name != "epoch"}
    void = update(events).where(place, events.c.kind == "void")
    if (await connection.execute(void.values(values))).rowcount == 1:
        return
    there = (await connection.execute(select(events.c.id).where(place))).scalar_one_or_none()
    if there == row.id:
        return  # by an earlier try, which ended before it could remove the dead letter
    if there is not None:
        raise SeqTakenError(f"another row has the seq of event {row.id}")
    await connection.execute(events.insert().values(row._asdict()))


def _dialect(connection: AsyncConnection) -> Any:  # noqa: ANN401 - one of two modules
    return postgresql if connection.dialect.name == "postgresql" else sqlite


def _upsert_cursor(connection: AsyncConnection) -> Insert:
    """Insert a cursor, or move it forward; a cursor never moves back."""
    insert: Any = (
        _dialect(connection)
        .insert(cursors)
        .values(
            room_id=bindparam("room"),
            user=bindparam("who"),
            seq=bindparam("place"),
            at=bindparam("moment"),
        )
    )
    upsert: Insert = insert.on_conflict_do_update(
        index_elements=["room_id", "user"],
        set_={"seq": insert.excluded.seq, "at": insert.excluded.at},
        where=cursors.c.seq < insert.excluded.seq,
    )
    return upsert
