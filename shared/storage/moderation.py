"""Reads of the events of moderation from SQL."""

import msgspec
from sqlalchemy import select

from shared.model.events import Event
from shared.storage.reader import Reader, event_of
from shared.storage.tables import MODERATION, events


class StoredAct(msgspec.Struct, frozen=True):
    """An event of moderation.

    Attributes:
        event: kick, ban, deletion and the like.
        sender: the sender of the message, for the deletion of one.
    """

    event: Event
    sender: str | None


class ModerationReader:
    """Reads events of moderation; raises the same errors as `Reader`."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def newest(self, room_id: int, before: int, limit: int) -> list[StoredAct]:
        """The last `limit` events of moderation below a seq, the newest first.

        Deletions of own messages are among them.
        """
        deleted = events.alias()
        query = (
            select(events, deleted.c.sender.label("target_sender"))
            .outerjoin(deleted, deleted.c.id == events.c.target_id)
            .where(events.c.room_id == room_id, events.c.seq < before, MODERATION)
            .order_by(events.c.seq.desc())
            .limit(limit)
        )
        return [
            StoredAct(event_of(row), row.target_sender) for row in await self._reader.rows(query)
        ]
