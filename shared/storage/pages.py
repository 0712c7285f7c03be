"""Pages of a room's messages from SQL."""

import msgspec
from sqlalchemy import Select, select

from shared.model.timeline import Message
from shared.storage.reader import MESSAGE_COLUMNS, Reader, message_of
from shared.storage.tables import VISIBLE, events, rooms


class StoredPage(msgspec.Struct, frozen=True):
    """Messages of a range of seqs, those nearest to its begin first.

    Attributes:
        whole: True if the range has no other message that is not deleted.
    """

    items: list[Message]
    whole: bool


class PageReader:
    """Reads pages from SQL; raises the same errors as `Reader`."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def read(
        self,
        room_id: int,
        after: int,
        below: int,
        limit: int,
        deleted: int,
        *,
        newest: bool,
        gone: frozenset[int] = frozenset(),
    ) -> StoredPage:
        """Read up to `limit` messages that are not deleted, with `after` < seq < `below`.

        Args:
            room_id: the room or chat, by its id in SQL.
            after: lower end of the range.
            below: upper end of the range.
            limit: number of messages that are not deleted.
            deleted: of so many messages that come first, deleted ones are read too; up to `limit`.
            newest: True to begin at the upper end, False at the lower end.
            gone: messages of the range that were deleted, which SQL may not know yet.
        """
        # First the next messages, whether deleted or not. Then, where that was not enough, only
        # such as are not deleted, from their index. So a page works over as many rows as it has,
        # whatever was deleted, and clients still learn of deletions among the next messages.
        items: list[Message] = []
        if deleted:
            query = _next_messages(room_id, after, below, deleted, newest=newest)
            items = [message_of(row) for row in await self._reader.rows(query)]
        left = limit - sum(not item.deleted and item.seq not in gone for item in items)
        if not left:
            return StoredPage(items, whole=False)
        if items and newest and items[-1].prev <= after:
            return StoredPage(items, whole=True)
        if items:
            after, below = (after, items[-1].seq) if newest else (items[-1].seq, below)
        query = _visible_messages(room_id, after, below, left, gone, newest=newest)
        more = [message_of(row) for row in await self._reader.rows(query)]
        return StoredPage(items + more, whole=len(more) < left)


def _next_messages(
    room_id: int, after: int, below: int, limit: int, *, newest: bool
) -> Select[tuple[object, ...]]:
    """Select up to `limit` messages, deleted or not, from a bounded number of rows.

    Other events stand between the messages. Most are deletions, one for each deleted message.
    """
    near = _in_range(room_id, after, below, 2 * limit + 100, newest=newest).subquery()
    place = near.c.seq.desc() if newest else near.c.seq
    return select(near).where(near.c.kind.in_(("message", "void"))).order_by(place).limit(limit)


def _visible_messages(
    room_id: int, after: int, below: int, limit: int, gone: frozenset[int], *, newest: bool
) -> Select[tuple[object, ...]]:
    query = _in_range(room_id, after, below, limit, newest=newest).where(VISIBLE)
    return query.where(events.c.seq.not_in(sorted(gone))) if gone else query


def _in_range(
    room_id: int, after: int, below: int, limit: int, *, newest: bool
) -> Select[tuple[object, ...]]:
    place = events.c.seq
    floor = select(rooms.c.floor).where(rooms.c.id == room_id).scalar_subquery()
    return (
        select(*MESSAGE_COLUMNS)
        .where(events.c.room_id == room_id, place > after, place > floor, place < below)
        .order_by(place.desc() if newest else place)
        .limit(limit)
    )
