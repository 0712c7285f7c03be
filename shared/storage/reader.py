"""Reads of rooms, partitions and events."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import Row, func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.model.events import Body, Event, Unknown
from shared.model.formats import NEWEST
from shared.model.log_events import BY_ROW, MessagePosted
from shared.model.rooms import STATE, Room
from shared.model.standings import STANDINGS, Standings
from shared.model.timeline import Message
from shared.storage.engine import unavailable_as_error
from shared.storage.tables import ROOM_COLUMNS, events, partitions, rooms, standings

_LAST = (
    select(events.c.seq, events.c.epoch)
    .where(events.c.room_id == rooms.c.id)
    .order_by(events.c.seq.desc())
    .limit(1)
    .correlate(rooms)
)
_ROOM = select(
    *ROOM_COLUMNS,
    _LAST.with_only_columns(events.c.seq).scalar_subquery().label("head"),
    _LAST.with_only_columns(events.c.epoch).scalar_subquery().label("head_epoch"),
    _LAST.with_only_columns(events.c.created_at).scalar_subquery().label("active_at"),
).where(rooms.c.deleted.is_(False))
MESSAGE_COLUMNS = (
    events.c.id,
    events.c.seq,
    events.c.prev,
    events.c.sender,
    events.c.content,
    events.c.created_at,
    events.c.deleted,
    events.c.kind,
    events.c.seen_at,
)


class StoredRoom(msgspec.Struct, frozen=True):
    """A room as SQL has it, and the time of its last event, milliseconds since 1970."""

    room: Room
    active_at: int


class StoredLocation(msgspec.Struct, frozen=True):
    """The location of a stored message."""

    room_key: str
    room_id: int
    seq: int
    sender: str
    deleted: bool


class StoredEvents(msgspec.Struct, frozen=True):
    """Events of a part of a room's rows.

    Attributes:
        events: without deleted messages and voids.
        up_to: the seq of the last row, whether deleted or not.
        more: True if there may be more rows after it.
    """

    events: list[Event]
    up_to: int
    more: bool


class StoredPartition(msgspec.Struct, frozen=True):
    """A partition's row: its epoch, its position, and the incarnation that may write."""

    number: int
    epoch: int
    position: int
    owner: str


class Reader:
    """Reads from SQL. Every method raises ChatError `storage_unavailable` if SQL is away."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._migrated = 0

    @property
    def dialect(self) -> str:
        """The kind of database."""
        return self._engine.dialect.name

    async def has_migration(self, number: int) -> bool:
        """True if a migration has run; a gateway may run before a persister runs it."""
        if self._migrated < number:
            found = await self.rows(text("SELECT version_num FROM alembic_version"))
            self._migrated = max((int(row[0]) for row in found), default=0)
        return self._migrated >= number

    async def partitions(self) -> list[StoredPartition]:
        """Every partition, in order."""
        found = await self.rows(select(partitions).order_by(partitions.c.number))
        return [StoredPartition(row.number, row.epoch, row.position, row.owner) for row in found]

    async def epochs(self) -> list[tuple[int, int]]:
        """Number and epoch of every partition."""
        found = await self.rows(select(partitions.c.number, partitions.c.epoch))
        return [(row.number, row.epoch) for row in found]

    async def room(self, key: str) -> StoredRoom | None:
        """The room of this key, or None. Its `epoch` is that of its last stored event."""
        return (await self.rooms_by_key([key])).get(key)

    async def rooms_by_key(self, keys: Collection[str]) -> dict[str, StoredRoom]:
        """Do the same as `room` for many keys; those that there are, by key."""
        found = await self.rows(_ROOM.where(rooms.c.key.in_(keys)))
        stored = [(room_of(row), row.active_at) for row in found]
        named = [room.id for room, _ in stored if room.kind == "room"]
        ruled = await self._standings(named) if named else {}
        return {
            room.key: StoredRoom(
                replace(room, standings=ruled[room.id]) if room.id in ruled else room,
                active_at or room.created_at,
            )
            for room, active_at in stored
        }

    async def room_by_id(self, room_id: int) -> Room | None:
        """The room of this id, or None."""
        found = await self.rows(_ROOM.where(rooms.c.id == room_id))
        return room_of(found[0]) if found else None

    async def keys_of_chats(self, ids: Collection[int]) -> dict[int, str]:
        """The keys of the direct chats of some ids, by id."""
        query = select(rooms.c.id, rooms.c.key).where(
            rooms.c.id.in_(ids), rooms.c.kind == "direct", rooms.c.deleted.is_(False)
        )
        return {row.id: row.key for row in await self.rows(query)}

    async def head(self, room_id: int) -> int:
        """The last stored seq of a room; 0 for none."""
        last = select(func.max(events.c.seq)).where(events.c.room_id == room_id)
        return (await self.rows(last))[0][0] or 0

    async def locate_message(self, message_id: int) -> StoredLocation | None:
        """The location of a message, or None."""
        query = (
            select(
                *(rooms.c.key, events.c.room_id, events.c.seq, events.c.sender, events.c.deleted)
            )
            .join(rooms, rooms.c.id == events.c.room_id)
            .where(events.c.id == message_id, events.c.kind == "message")
        )
        for row in await self.rows(query.where(rooms.c.deleted.is_(False))):
            return StoredLocation(row.key, row.room_id, row.seq, row.sender, row.deleted)
        return None

    async def events(self, room_id: int, after: int, below: int, limit: int) -> StoredEvents:
        """The events of the first `limit` rows with `after` < seq < `below`, in order."""
        place = events.c.seq
        query = select(events).where(events.c.room_id == room_id, place > after, place < below)
        found = await self.rows(query.order_by(place).limit(limit))
        shown = [event_of(row) for row in found if not row.deleted and row.kind != "void"]
        return StoredEvents(shown, found[-1].seq if found else after, len(found) == limit)

    async def has_seq(self, room_id: int, seq: int) -> bool:
        """Return True if a room has, or had, an event with this seq."""
        query = select(events.c.id).where(events.c.room_id == room_id, events.c.seq == seq)
        return bool(await self.rows(query))

    async def accepted(
        self, room_id: int, sender: str, client_msg_id: str
    ) -> tuple[int, int, int] | None:
        """The id, seq and created_at of a stored send; None if it is not stored."""
        query = select(events.c.id, events.c.seq, events.c.created_at).where(
            events.c.room_id == room_id,
            events.c.sender == sender,
            events.c.client_msg_id == client_msg_id,
        )
        for row in await self.rows(query):
            return row.id, row.seq, row.created_at
        return None

    async def rows(self, query: Any) -> list[Row[Any]]:  # noqa: ANN401 - any select
        """Run a query and return all of its rows."""
        with unavailable_as_error():
            async with self._engine.connect() as connection:
                return list(await connection.execute(query))

    async def _standings(self, room_ids: Collection[int]) -> dict[int, Standings]:
        """The standings of rooms that have some."""
        entries = defaultdict[int, list[tuple[str, str, int]]](list)
        for row in await self.rows(select(standings).where(standings.c.room_id.in_(room_ids))):
            entries[row.room_id] += [(name, row.user, getattr(row, name)) for name in STANDINGS]
        return {room_id: Standings.of(of_room) for room_id, of_room in entries.items()}


def message_of(row: Row[Any]) -> Message:
    """The message of a row with MESSAGE_COLUMNS; a void is a tombstone too."""
    return Message(
        id=row.id,
        seq=row.seq,
        prev=row.prev,
        sender=row.sender or "",
        content=row.content or "",
        created_at=row.created_at,
        deleted=row.deleted or row.kind == "void",
        seen_at=row.seen_at,
    )


def event_of(row: Row[Any]) -> Event:
    """The event of a row of `events`."""
    body: Body
    if row.kind == "message":  # first, as nearly all events are messages
        body = MessagePosted(row.sender, row.content or "", row.client_msg_id or "")
    elif kind := BY_ROW.get(row.kind):
        body = kind.of_row(row._asdict())
    else:
        body = Unknown(row.kind)
    place = (row.room_id, row.id, row.seq, row.prev, row.created_at)
    return Event(NEWEST, *place, body)


def room_of(row: Row[Any]) -> Room:
    """The room of a row with the columns of `rooms`, and `head` and `head_epoch` if read."""
    fields = row._mapping  # noqa: SLF001 - SQLAlchemy's documented name
    return Room(
        key=fields["key"],
        id=fields["id"],
        kind=fields["kind"],
        name=fields["name"],
        password_hash=fields["password_hash"],
        creator=fields["creator"],
        created_at=fields["created_at"],
        head=fields.get("head") or 0,
        floor=fields["floor"],
        epoch=fields.get("head_epoch") or fields["epoch"],
        user1=fields["user1"] or "",
        user2=fields["user2"] or "",
        **{field.name: fields[field.name] for field in STATE},
    )
