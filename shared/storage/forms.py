"""Writing the forms of names: of rooms that lack them, and of all users of a database."""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    column,
    func,
    select,
    table,
    union_all,
    update,
)

from shared.names import form_of

ROWS_AT_A_TIME: Final = 1000
"""Rows that one statement reads or writes."""

# Only the columns that are used, as later migrations change the tables.
_ROOMS = table("rooms", *map(column, ("id", "kind", "name", "name_form", "created_at")))
_PEOPLE = table("rooms", *map(column, ("creator", "user1", "user2", "created_at")))
_EVENTS = table("events", column("sender"), column("created_at"))
_CURSORS = table("cursors", column("user"), column("at"))
_STANDINGS = table("standings", column("user"))
_USERS = table("users", column("name"), column("form"), column("since"))


def fill_rooms(connection: Connection) -> None:
    """Write the forms of the names of named rooms that have none."""
    missing = (
        select(_ROOMS.c.id, _ROOMS.c.name)
        .where(_ROOMS.c.kind == "room", _ROOMS.c.name_form == "", _ROOMS.c.name != "")
        .limit(ROWS_AT_A_TIME)
    )
    fill = update(_ROOMS).where(_ROOMS.c.id == bindparam("room")).values(name_form=bindparam("to"))
    while rows := connection.execute(missing).all():
        connection.execute(fill, [{"room": row.id, "to": form_of(row.name)} for row in rows])


def fill_users(connection: Connection) -> None:
    """Write every user that anything is stored of, with the time of the first of it."""
    sources = [
        *(_first(_PEOPLE.c[name], _PEOPLE.c.created_at) for name in ("creator", "user1", "user2")),
        _first(_EVENTS.c.sender, _EVENTS.c.created_at),
        _first(_CURSORS.c.user, _CURSORS.c.at),
    ]
    found = union_all(*sources).subquery()
    people = select(found.c.name, func.min(found.c.since)).group_by(found.c.name)
    for rows in connection.execute(people).partitions(ROWS_AT_A_TIME):
        connection.execute(_USERS.insert(), user_rows((name, since) for name, since in rows))
    # Users who were only named, as by a ban: who signs in by another spelling is banned too.
    seen = select(_USERS.c.name)
    named = select(_STANDINGS.c.user).where(_STANDINGS.c.user.not_in(seen)).distinct()
    if only_named := connection.execute(named).scalars().all():
        connection.execute(_USERS.insert(), user_rows((name, 0) for name in only_named))


def user_rows(people: Iterable[tuple[str, int]]) -> list[dict[str, object]]:
    """Rows of the table `users`, of names and times."""
    return [{"name": name, "form": form_of(name), "since": since} for name, since in people]


def _first(name: ColumnElement[str], at: ColumnElement[int]) -> Select[str, int]:
    first = select(name.label("name"), func.min(at).label("since"))
    return first.where(name.is_not(None), name != "").group_by(name)
