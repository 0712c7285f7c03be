"""Reading: rooms and pages of history."""

from sqlalchemy import Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.model.rooms import Room
from shared.model.timeline import Message
from shared.storage.engine import unavailable_as_error
from shared.storage.tables import events, rooms

_LAST = (
    select(events.c.seq, events.c.epoch)
    .where(events.c.room_id == rooms.c.id)
    .order_by(events.c.seq.desc())
    .limit(1)
    .correlate(rooms)
)
_ROOM = select(
    rooms,
    _LAST.with_only_columns(events.c.seq).scalar_subquery().label("head"),
    _LAST.with_only_columns(events.c.epoch).scalar_subquery().label("head_epoch"),
)
_PAGE = select(
    events.c.id,
    events.c.seq,
    events.c.prev,
    events.c.sender,
    events.c.content,
    events.c.created_at,
    events.c.deleted,
    events.c.kind,
).where(events.c.kind.in_(("message", "void")))


class Reader:
    """What SQL has. Every method raises ChatError `storage_unavailable` when SQL is away."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def room(self, key: str) -> Room | None:
        """The room of this key, or None. Its epoch is that of its last stored event."""
        found = await self._rows(_ROOM.where(rooms.c.key == key))
        return _room(found[0]) if found else None

    async def rooms_by_key(self, after: str, before: str, limit: int) -> list[Room]:
        """Rooms with `after` < key < `before`, by key; their heads are not read and are 0."""
        query = select(rooms).where(rooms.c.key > after, rooms.c.key < before)
        found = await self._rows(query.order_by(rooms.c.key).limit(limit))
        return [_room(row) for row in found]

    async def head(self, room_id: int) -> int:
        """The last seq that is stored; 0 for none."""
        last = select(func.max(events.c.seq)).where(events.c.room_id == room_id)
        found: int | None = (await self._rows(last))[0][0]  # type: ignore[assignment]
        return found or 0

    async def newest(self, room_id: int, floor: int, below: int, limit: int) -> list[Message]:
        """The last `limit` messages with `floor` < seq < `below`, oldest first."""
        return (await self._page(room_id, floor, below, limit, newest=True))[::-1]

    async def oldest(self, room_id: int, after: int, below: int, limit: int) -> list[Message]:
        """The first `limit` messages with `after` < seq < `below`, oldest first."""
        return await self._page(room_id, after, below, limit, newest=False)

    async def _page(
        self, room_id: int, after: int, below: int, limit: int, *, newest: bool
    ) -> list[Message]:
        place = events.c.seq
        floor = select(rooms.c.floor).where(rooms.c.id == room_id).scalar_subquery()
        query = _PAGE.where(
            events.c.room_id == room_id, place > after, place > floor, place < below
        )
        ordered = query.order_by(place.desc() if newest else place).limit(limit)
        return [
            Message(
                id=row.id,
                seq=row.seq,
                prev=row.prev,
                sender=row.sender or "",
                content=row.content or "",
                created_at=row.created_at,
                deleted=row.deleted or row.kind == "void",
            )
            for row in await self._rows(ordered)
        ]

    async def _rows(self, query: Select[tuple[object, ...]]) -> list[Row[tuple[object, ...]]]:
        with unavailable_as_error():
            async with self._engine.connect() as connection:
                return list(await connection.execute(query))


def _room(row: Row[tuple[object, ...]]) -> Room:
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
    )
