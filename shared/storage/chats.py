"""Reads of direct chats: their users, unread counts, last messages and cursors."""

from collections.abc import Collection, Sequence

import msgspec
from sqlalchemy import Select, and_, func, literal, or_, select
from sqlalchemy.sql import ColumnElement

from shared.model.rooms import Room
from shared.model.timeline import Message
from shared.storage.reader import MESSAGE_COLUMNS, Reader, message_of, room_of
from shared.storage.tables import ROOM_COLUMNS, VISIBLE, cursors, events, rooms


class StoredChat(msgspec.Struct, frozen=True):
    """A direct chat as SQL has it, for one of its users.

    Attributes:
        unread: the number of messages of the other user past the cursor, without deleted ones.
        last_message: the last message that was not deleted, without its content; None if there is
            none.
    """

    room: Room
    cursor: int
    unread: int
    last_message: Message | None


class ChatReader:
    """Reads direct chats from SQL; raises the same errors as `Reader`."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def chats(self, user: str) -> list[StoredChat]:
        """All direct chats of a user."""
        found = await self._reader.rows(_chats_of(user))
        last = await self._reader.rows(_last_messages_of(user))
        last_by_room = {row.room_id: message_of(row) for row in last}
        return [
            StoredChat(room_of(row), row.cursor or 0, row.unread, last_by_room.get(row.id))
            for row in found
        ]

    async def contents(self, message_ids: Collection[int]) -> dict[int, str]:
        """The contents of these messages by id, of those that SQL has and that are not deleted."""
        query = select(events.c.id, events.c.content).where(events.c.id.in_(message_ids), VISIBLE)
        return {row.id: row.content for row in await self._reader.rows(query)}

    async def pairs(self, users: Sequence[str]) -> list[tuple[str, str]]:
        """The two users of every direct chat of any of these users."""
        query = select(rooms.c.user1, rooms.c.user2).where(_is_chat_of(*users))
        return [(row.user1, row.user2) for row in await self._reader.rows(query)]

    async def cursor(self, room_id: int, user: str) -> int:
        """The cursor of a user in a room; 0 for none."""
        query = select(cursors.c.seq).where(cursors.c.room_id == room_id, cursors.c.user == user)
        for row in await self._reader.rows(query):
            return int(row.seq)
        return 0

    async def cursors(self, room_id: int, limit: int = 1000) -> dict[str, int]:
        """Up to `limit` cursors of a room by user; those that moved last, if there are more."""
        query = select(cursors.c.user, cursors.c.seq).where(cursors.c.room_id == room_id)
        found = await self._reader.rows(query.order_by(cursors.c.at.desc()).limit(limit))
        return {row.user: row.seq for row in found}

    async def unread(
        self, room_id: int, user: str, after: int, below: int, gone: frozenset[int]
    ) -> int:
        """Count messages of others with `after` < seq < `below`, not deleted and not in `gone`."""
        query = select(func.count()).where(
            events.c.room_id == room_id,
            events.c.seq > after,
            events.c.seq < below,
            events.c.seq.not_in(gone),
            _is_unread_by(user),
        )
        return int((await self._reader.rows(query))[0][0])

    async def last_message(
        self, room_id: int, floor: int, below: int, gone: frozenset[int]
    ) -> Message | None:
        """The last message with `floor` < seq < `below`, not deleted and not in `gone`."""
        query = (
            select(*MESSAGE_COLUMNS)
            .where(
                events.c.room_id == room_id,
                events.c.seq > floor,
                events.c.seq < below,
                events.c.seq.not_in(gone),
                VISIBLE,
            )
            .order_by(events.c.seq.desc())
            .limit(1)
        )
        for row in await self._reader.rows(query):
            return message_of(row)
        return None


_COLUMNS_WITHOUT_CONTENT = [
    literal("").label("content") if column is events.c.content else column
    for column in MESSAGE_COLUMNS
]


def _is_unread_by(user: str) -> ColumnElement[bool]:
    return and_(VISIBLE, events.c.sender != user)


def _is_chat_of(*users: str) -> ColumnElement[bool]:
    return and_(
        or_(rooms.c.user1.in_(users), rooms.c.user2.in_(users)),
        rooms.c.kind == "direct",
        rooms.c.deleted.is_(False),
    )


def _chats_of(user: str) -> Select[tuple[object, ...]]:
    mine = cursors.c.user == user
    unread = (
        select(func.count())
        .where(
            events.c.room_id == rooms.c.id,
            events.c.seq > func.coalesce(cursors.c.seq, 0),
            _is_unread_by(user),
        )
        .correlate(rooms, cursors)
        .scalar_subquery()
    )
    source = rooms.outerjoin(cursors, and_(cursors.c.room_id == rooms.c.id, mine))
    return (
        select(*ROOM_COLUMNS, cursors.c.seq.label("cursor"), unread.label("unread"))
        .select_from(source)
        .where(_is_chat_of(user))
    )


def _last_messages_of(user: str) -> Select[tuple[object, ...]]:
    newest = (
        select(events.c.seq)
        .where(events.c.room_id == rooms.c.id, VISIBLE)
        .order_by(events.c.seq.desc())
        .limit(1)
        .correlate(rooms)
        .scalar_subquery()
    )
    place = and_(events.c.room_id == rooms.c.id, events.c.seq == newest)
    return (
        select(events.c.room_id, *_COLUMNS_WITHOUT_CONTENT)
        .select_from(rooms.join(events, place))
        .where(_is_chat_of(user))
    )
