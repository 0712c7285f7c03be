"""The tables, for SQLAlchemy Core. `migrations/` creates them; both must be the same."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    literal_column,
)

SCHEMA: Final = 8
"""The number of the last migration: the schema that this build knows."""

FORMS_SINCE_MIGRATION: Final = 5
"""The migration that added the forms of names. Builds that know it find rooms by any spelling."""

REVOCATIONS_SINCE_MIGRATION: Final = 7
"""The migration that added the table of revocations."""

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

# SQLite keeps a row under its number only where the type is called INTEGER.
Number = BigInteger().with_variant(Integer, "sqlite")

# Names sort by code point everywhere, as the broker and Python sort them.
Key = String().with_variant(String(collation="C"), "postgresql")

meta = Table(
    "meta",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", String, nullable=False),
)

partitions = Table(
    "partitions",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("epoch", Number, nullable=False),
    # The counter of the last stream entry that is stored.
    Column("position", Number, nullable=False),
    # The incarnation that may write; a batch of any other fails whole.
    Column("owner", String, nullable=False),
    # The format that the epoch is written in in the broker (see shared/model/formats.py).
    Column("format", Integer, nullable=False, server_default="1"),
)

rooms = Table(
    "rooms",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=False),
    Column("key", Key, nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("name", String, nullable=False),
    Column("password_hash", String, nullable=False),
    Column("creator", String, nullable=False),
    Column("created_at", Number, nullable=False),
    # Everything up to this seq is deleted.
    Column("floor", Number, nullable=False),
    # The epoch it was created in.
    Column("epoch", Number, nullable=False),
    # The users of a direct chat, as they were named; null for a named room.
    Column("user1", Key, index=True),
    Column("user2", Key, index=True),
    # A deleted room keeps its id, and a key that nothing else has.
    Column("deleted", Boolean, nullable=False),
    # The seq at which the password was changed last.
    Column("password_seq", Number, nullable=False),
    # The form in which the name of a named room compares; empty in chats, and in rooms that a
    # persister of an older schema stored, until one of this schema fills it in.
    Column("name_form", Key, nullable=False, server_default=""),
    Index(None, "kind", "name_form"),
)

# The columns that a room is read from. A gateway may run before a persister has added `name_form`.
ROOM_COLUMNS: Final = tuple(column for column in rooms.c if column.name != "name_form")

standings = Table(
    "standings",
    metadata,
    Column("room_id", Number, primary_key=True, autoincrement=False),
    Column("user", Key, primary_key=True),
    Column("moderator", Boolean, nullable=False),
    Column("banned", Boolean, nullable=False),
    # The seq at which the user was put out last; 0 for never.
    Column("kicked", Number, nullable=False),
    # The seq of the last event that changed this.
    Column("seq", Number, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=False),
    Column("room_id", Number, nullable=False),
    Column("seq", Number, nullable=False),
    Column("prev", Number, nullable=False),
    # A kind of shared/model/log_events.py, or `void`: an entry that SQL refused. Its seq stays
    # taken. If it were free, the next event of the room could get a seq that clients have received
    # with the refused one.
    Column("kind", String, nullable=False),
    Column("sender", String),
    # The text; null in a deleted message.
    Column("content", Text),
    Column("client_msg_id", String),
    Column("deleted", Boolean, nullable=False),
    Column("created_at", Number, nullable=False),
    Column("epoch", Number, nullable=False),
    # The deleted message, in a deletion.
    Column("target_id", Number),
    Column("target_seq", Number),
    # The time at which the other user of a direct chat saw it.
    Column("seen_at", Number),
    # The user that the event is about, in kicks, bans and the like.
    Column("target_user", String),
    UniqueConstraint("room_id", "seq"),
    UniqueConstraint("room_id", "sender", "client_msg_id"),
)

VISIBLE: Final = and_(events.c.kind == literal_column("'message'"), events.c.deleted.is_(False))
"""The condition of messages that are not deleted, in the words of `ix_events_visible`.

A database uses a partial index only where a query repeats its condition with the same constants: a
bound parameter in place of `'message'` would not do.
"""

# 100,000 deleted messages in a row would have to be read one by one without it.
Index(
    "ix_events_visible",
    events.c.room_id,
    events.c.seq,
    sqlite_where=VISIBLE,
    postgresql_where=VISIBLE,
)

MODERATION_KINDS: Final = (
    *("kick", "ban", "unban", "promote", "demote", "lock", "unlock"),
    *("delete", "clear"),
)
MODERATION: Final = events.c.kind.in_([literal_column(f"'{kind}'") for kind in MODERATION_KINDS])
"""The condition of events of moderation, in the words of `ix_events_moderation`."""

# Few of a room's events are such; the list of them would read all without it.
Index(
    "ix_events_moderation",
    events.c.room_id,
    events.c.seq,
    sqlite_where=MODERATION,
    postgresql_where=MODERATION,
)

cursors = Table(
    "cursors",
    metadata,
    Column("room_id", Number, primary_key=True, autoincrement=False),
    Column("user", Key, primary_key=True),
    # Everything up to this seq is seen.
    Column("seq", Number, nullable=False),
    Column("at", Number, nullable=False),
)

# Every user that an event, a chat or a cursor was stored of.
users = Table(
    "users",
    metadata,
    Column("name", Key, primary_key=True),
    # The form in which the name compares.
    Column("form", Key, nullable=False, index=True),
    # The time of the first of them, milliseconds since 1970; 0 for a user who was only named, as by
    # a ban.
    Column("since", Number, nullable=False),
)

# What an operator has revoked (see `shared/model/revocations.py`).
revocations = Table(
    "revocations",
    metadata,
    Column("kind", String, primary_key=True),
    Column("subject", Key, primary_key=True),
    # A change gets a new number, and the highest is never deleted: gateways read by it.
    Column("number", Number, nullable=False, unique=True),
    Column("at", Number, nullable=False),
    Column("before", Number, nullable=False),
    Column("until", Number),
)
