"""Reads of names: rooms and users by the form in which their names compare."""

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, collate, select, tuple_

from shared.model.rooms import Room
from shared.names import form_of
from shared.storage.reader import Reader, room_of
from shared.storage.tables import FORMS_SINCE_MIGRATION, ROOM_COLUMNS, rooms, users

MAX_SPELLINGS: Final = 1000
"""Rooms or users of one form that are read. More than one are from builds before the forms."""

MAX_WITHOUT_FORMS: Final = 10_000
"""Rooms without forms that are listed. There are some only while an upgrade is under way."""

_NAMED = (rooms.c.kind == "room", rooms.c.deleted.is_(False))
_SHOWN = rooms.c.name


class StoredName(NamedTuple):
    """The key and the name of a named room."""

    key: str
    name: str


class NameReader:
    """Reads names from SQL; raises the same errors as `Reader`.

    A gateway may run before a persister has migrated the database. Until then all rooms are read,
    and no users are known.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def rooms(self, forms: Collection[str], keys: Collection[str]) -> list[StoredName]:
        """The named rooms whose names have one of some forms, and those of some keys."""
        query = select(rooms.c.key, rooms.c.name).where(*_NAMED).limit(MAX_WITHOUT_FORMS)
        of_forms = query
        if await self._has_forms():
            # Without a form: stored by a persister of an older build a moment ago.
            of_forms = query.where(rooms.c.name_form.in_((*forms, "")))
        # One query with `or` makes SQLite read every named room: each side has its own index.
        of_keys = query.where(rooms.c.key.in_(keys))
        rows = [*await self._reader.rows(of_keys), *await self._reader.rows(of_forms)]
        found = dict.fromkeys(StoredName(row.key, row.name) for row in rows)
        return [room for room in found if room.key in keys or form_of(room.name) in forms]

    async def rooms_after(self, name: str, limit: int) -> list[Room]:
        """Named rooms that sort after a name, by the forms of their names; without their heads."""
        after = (form_of(name), name)
        has_forms = await self._has_forms()
        found = await self._without_forms(has_forms=has_forms)
        if has_forms:
            shown = collate(rooms.c.name, "C") if self._reader.dialect == "postgresql" else _SHOWN
            place = (rooms.c.name_form, shown)
            query = select(*ROOM_COLUMNS).where(*_NAMED, tuple_(*place) > after)
            rows = await self._reader.rows(query.order_by(*place).limit(limit))
            found += [room_of(row) for row in rows]
        places = {(form_of(room.name), room.name): room for room in found}
        return [places[place] for place in sorted(places) if place > after][:limit]

    async def users(self, forms: Sequence[str]) -> dict[str, list[str]] | None:
        """The users whose names have one of some forms, by form; the first one before others.

        Users who were only named, as by a ban, come after those who were seen. None before the
        migration.
        """
        if not await self._has_forms():
            return None
        query = select(users.c.name, users.c.form).where(users.c.form.in_(forms))
        query = query.order_by(users.c.since == 0, users.c.since, users.c.name)
        found: dict[str, list[str]] = {}
        for row in await self._reader.rows(query.limit(MAX_SPELLINGS + len(forms))):
            found.setdefault(row.form, []).append(row.name)
        return found

    async def has_user(self, name: str) -> bool:
        """True if anything was stored of a user of exactly this name, who was not only named."""
        if not await self._has_forms():
            return False
        query = select(users.c.name).where(users.c.name == name, users.c.since > 0)
        return bool(await self._reader.rows(query))

    async def _without_forms(self, *, has_forms: bool) -> list[Room]:
        """The named rooms whose forms SQL does not have: few, or all before the migration."""
        lacking: tuple[ColumnElement[bool], ...] = _NAMED
        if has_forms:
            lacking = (*_NAMED, rooms.c.name_form == "")
        query = select(*ROOM_COLUMNS).where(*lacking).limit(MAX_WITHOUT_FORMS)
        return [room_of(row) for row in await self._reader.rows(query)]

    async def _has_forms(self) -> bool:
        return await self._reader.has_migration(FORMS_SINCE_MIGRATION)
